/** The time as a machine is handed it, in milliseconds: `mono` for every timer, `wall` for freshness, stamps and records only. */
export type Now = { readonly mono: number; readonly wall: number };
