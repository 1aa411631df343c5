/** The time, in milliseconds: `mono` never steps and drives every timer; `wall` is the calendar, for the Hello's timestamp only. */
export type Now = { readonly mono: number; readonly wall: number };
