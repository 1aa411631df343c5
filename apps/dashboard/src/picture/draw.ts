import { type Dot, distanceOf, REACH } from "./layout.ts";

export type Palette = {
  readonly text: string;
  readonly faint: string;
  readonly grid: string;
  readonly channel: string;
  readonly session: string;
  readonly anchor: string;
  readonly me: string;
};

export type Scene = {
  readonly dots: readonly Dot[];
  readonly selected: string | undefined;
  readonly palette: Palette;
  readonly width: number;
  readonly height: number;
  /** Pixels of the screen in one of ours. */
  readonly density: number;
};

const RINGS_MS = [5, 20, 100, 400];
const LABELS_MAX = 20;

/** Pixels in one unit of the layout. */
export function scaleOf(width: number, height: number): number {
  return (Math.min(width, height) / 2 - 24) / REACH;
}

/** Links first, all of a kind in one path, then dots: five hundred peers are some ten calls and not two thousand. */
export function draw(context: CanvasRenderingContext2D, scene: Scene): void {
  const { dots, palette, width, height, density, selected } = scene;
  const scale = scaleOf(width, height);
  context.setTransform(density, 0, 0, density, 0, 0);
  context.clearRect(0, 0, width, height);
  context.translate(width / 2, height / 2);
  context.font = "11px system-ui, sans-serif";
  context.textAlign = "center";
  context.textBaseline = "middle";
  drawRings(context, palette, scale);
  const direct = dots.filter(({ peer }) => peer.link !== "session");
  const relayed = dots.filter(({ peer }) => peer.link === "session");
  context.lineWidth = 1;
  drawLinks(context, relayed, scale, palette.session, [3, 4]);
  context.lineWidth = 1.6;
  drawLinks(context, direct, scale, palette.channel, []);
  const size = dots.length > 120 ? 3.5 : 5.5;
  drawDots(context, relayed, scale, size, palette.session);
  drawDots(context, direct, scale, size, palette.channel);
  drawAnchors(context, dots, scale, size, palette.anchor);
  drawMe(context, palette);
  for (const dot of dots) {
    if (dot.id === selected || dots.length <= LABELS_MAX) drawLabel(context, dot, scale, size, scene);
  }
}

function drawRings(context: CanvasRenderingContext2D, palette: Palette, scale: number): void {
  context.strokeStyle = palette.grid;
  context.fillStyle = palette.faint;
  context.lineWidth = 1;
  context.setLineDash([]);
  for (const ms of RINGS_MS) {
    const radius = distanceOf(ms) * REACH * scale;
    context.beginPath();
    context.arc(0, 0, radius, 0, 2 * Math.PI);
    context.stroke();
    context.fillText(ms === 400 ? "≥ 400 ms" : `${ms} ms`, 0, radius - 8);
  }
}

function drawLinks(
  context: CanvasRenderingContext2D,
  dots: readonly Dot[],
  scale: number,
  colour: string,
  dash: number[],
): void {
  context.strokeStyle = colour;
  context.globalAlpha = dots.length > 60 ? 0.35 : 0.7;
  context.setLineDash(dash);
  context.beginPath();
  for (const { x, y } of dots) {
    context.moveTo(0, 0);
    context.lineTo(x * scale, y * scale);
  }
  context.stroke();
  context.setLineDash([]);
  context.globalAlpha = 1;
}

function drawDots(
  context: CanvasRenderingContext2D,
  dots: readonly Dot[],
  scale: number,
  size: number,
  colour: string,
): void {
  context.fillStyle = colour;
  context.beginPath();
  for (const { x, y } of dots) {
    context.moveTo(x * scale + size, y * scale);
    context.arc(x * scale, y * scale, size, 0, 2 * Math.PI);
  }
  context.fill();
}

function drawAnchors(
  context: CanvasRenderingContext2D,
  dots: readonly Dot[],
  scale: number,
  size: number,
  colour: string,
): void {
  context.strokeStyle = colour;
  context.lineWidth = 2;
  context.beginPath();
  for (const { x, y, peer } of dots) {
    if (!peer.anchor) continue;
    context.moveTo(x * scale + size + 3, y * scale);
    context.arc(x * scale, y * scale, size + 3, 0, 2 * Math.PI);
  }
  context.stroke();
}

function drawMe(context: CanvasRenderingContext2D, palette: Palette): void {
  context.fillStyle = palette.me;
  context.beginPath();
  context.arc(0, 0, 9, 0, 2 * Math.PI);
  context.fill();
  context.fillStyle = palette.text;
  context.font = "600 12px system-ui, sans-serif";
  context.fillText("this node", 0, 20);
  context.font = "11px system-ui, sans-serif";
}

function drawLabel(
  context: CanvasRenderingContext2D,
  dot: Dot,
  scale: number,
  size: number,
  { palette, selected, width }: Scene,
): void {
  const [x, y] = [dot.x * scale, dot.y * scale];
  const text = dot.id.slice(0, 8);
  if (dot.id === selected) {
    context.strokeStyle = palette.text;
    context.lineWidth = 2;
    context.beginPath();
    context.arc(x, y, size + 6, 0, 2 * Math.PI);
    context.stroke();
  }
  context.fillStyle = dot.id === selected ? palette.text : palette.faint;
  // Kept inside the picture on both sides.
  const half = context.measureText(text).width / 2 + 4;
  const inside = Math.max(-width / 2 + half, Math.min(width / 2 - half, x));
  context.fillText(text, inside, y - size - 10);
}
