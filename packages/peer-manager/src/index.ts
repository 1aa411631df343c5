export { bucketIndex, compareDistance, isCloser, sortByDistance } from "./distance.ts";
export type { MembershipOptions, MembershipOutput, Neighbour } from "./membership/membership.ts";
export { Membership } from "./membership/membership.ts";
export type { CandidateContext, Scope } from "./membership/scope.ts";
export { acceptedCandidates, acceptsContact, blockOf, samePrivateNetwork, scopeOf } from "./membership/scope.ts";
export type { Now } from "./now.ts";
export type { ForwarderOutput, Origination, Outcome } from "./routing/forwarder.ts";
export { Forwarder } from "./routing/forwarder.ts";
export type { Links } from "./routing/links.ts";
