/** The name of this program, as it is typed and as it signs what it says. */
export const PROGRAM = "starling";
