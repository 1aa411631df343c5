const FIRST_ASK_MS = 350;
const NEXT_ASK_MS = 300;

/** What shapes the tree of broadcasts, PROTOCOL §8. The simulator turns them one by one to show what each is for. */
export type BroadcastRules = {
  /** A publication that was announced is asked for after this long: longer than the tree lags behind the first Have. */
  readonly firstAskMs: number;
  readonly nextAskMs: number;
  /** Lazy links that are told at once of a new publication; the others' turn comes with later ones. */
  readonly haveLinks: number;
  /** Publications that a Have tells a link of whose turn has come: a publication is told to this many times `haveLinks` at least. */
  readonly haveIds: number;
  /** How often one neighbour after the other is asked whether it has had the same. */
  readonly digestMs: number;
  /** And after so many publications, though not sooner than `digestLeastMs` after the last: each is compared four times. */
  readonly digestIds: number;
  readonly digestLeastMs: number;
  /** A lazy link joins the tree once the tree has failed for this many messages. */
  readonly graftAfterMisses: number;
  /** What was repaired on its way here says nothing about the tree. */
  readonly isRepairApart: boolean;
  /** A link that a node opens in so many ms of its life is in the tree until it proves redundant; later ones are lazy. */
  readonly youthMs: number;
  /** The first nodes of a publication's way hand it to so many lazy links as well, apart from the tree. */
  readonly shotHops: number;
  readonly shotLinks: number;
  /** Not where others' publications come over fewer hops than this in the mean: a small network gains nothing by it. */
  readonly shotFromHops: number;
  /** Nor while more than this part of what comes is repeats: what a shot brings says nothing of the tree, and so nothing is pruned. */
  readonly shotBelowRepeats: number;
};

/** The rules of the network; others are for experiments. */
export const BROADCAST_RULES: BroadcastRules = {
  firstAskMs: FIRST_ASK_MS,
  nextAskMs: NEXT_ASK_MS,
  haveLinks: 2,
  haveIds: 2,
  digestMs: 3000,
  digestIds: 16,
  digestLeastMs: 300,
  graftAfterMisses: 2,
  isRepairApart: true,
  youthMs: 30_000,
  shotHops: 2,
  shotLinks: 2,
  shotFromHops: 3,
  shotBelowRepeats: 0.02,
};
