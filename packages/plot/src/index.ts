export type { Axis, Chart, Line, Point } from "./chart.ts";
export { drawSheet, type Sheet } from "./sheet.ts";
