import type { PeerInfo } from "@starling/local-client/web-socket";
import { useEffect, useRef } from "preact/hooks";
import { draw, type Palette, scaleOf } from "./draw.ts";
import { type Dot, Layout } from "./layout.ts";

type Props = {
  readonly peers: readonly PeerInfo[];
  readonly selected: string | undefined;
  readonly onSelect: (id: string | undefined) => void;
};

/** The network as a canvas; the table of peers says the same in words. */
export function NetworkPicture({ peers, selected, onSelect }: Props) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const view = useRef<View | undefined>(undefined);
  useEffect(() => {
    if (canvas.current === null) return undefined;
    view.current = new View(canvas.current, (id) => select.current(id));
    return () => view.current?.close();
  }, []);
  const select = useRef(onSelect);
  select.current = onSelect;
  useEffect(() => view.current?.update(peers, selected), [peers, selected]);

  const channels = peers.filter(({ link }) => link !== "session").length;
  const anchors = peers.filter(({ anchor }) => anchor).length;
  const words = `${peers.length} peers around this node: ${channels} over direct channels, ${peers.length - channels} over sessions, ${anchors} of them anchors. Arrow keys go from peer to peer.`;
  return (
    <figure class="picture">
      <canvas
        ref={canvas}
        role="img"
        aria-label={words}
        tabIndex={0}
        onKeyDown={(event) => {
          const next = step(peers, selected, event.key);
          if (next === undefined) return;
          event.preventDefault();
          onSelect(next);
        }}
      />
      <figcaption>
        <span class="key channel">direct channel</span>
        <span class="key session">UDP session</span>
        <span class="key anchor">anchor</span>
        <span class="faint">farther out = longer round trip</span>
      </figcaption>
    </figure>
  );
}

function step(peers: readonly PeerInfo[], selected: string | undefined, key: string): string | undefined {
  const forward = key === "ArrowRight" || key === "ArrowDown";
  if (!forward && key !== "ArrowLeft" && key !== "ArrowUp") return undefined;
  const at = peers.findIndex(({ id }) => id === selected);
  const next = at < 0 ? 0 : (at + (forward ? 1 : peers.length - 1)) % peers.length;
  return peers[next]?.id;
}

/** The canvas and its animation, which runs only while something moves. */
class View {
  readonly #canvas: HTMLCanvasElement;
  readonly #layout = new Layout();
  readonly #observer: ResizeObserver;
  readonly #dark = matchMedia("(prefers-color-scheme: dark)");
  readonly #abort = new AbortController();
  #palette: Palette;
  #selected: string | undefined;
  #dragged: Dot | undefined;
  #frame = 0;

  constructor(canvas: HTMLCanvasElement, onSelect: (id: string | undefined) => void) {
    this.#canvas = canvas;
    this.#palette = readPalette(canvas);
    this.#observer = new ResizeObserver(() => this.#resize());
    this.#observer.observe(canvas);
    const { signal } = this.#abort;
    this.#dark.addEventListener("change", () => this.#repaint(), { signal });
    canvas.addEventListener(
      "pointerdown",
      (event) => {
        this.#dragged = this.#layout.at(...this.#place(event));
        onSelect(this.#dragged?.id);
        if (this.#dragged !== undefined) canvas.setPointerCapture(event.pointerId);
      },
      { signal },
    );
    canvas.addEventListener("pointermove", (event) => this.#drag(event), { signal });
    for (const type of ["pointerup", "pointercancel"] as const) {
      canvas.addEventListener(type, () => this.#drop(), { signal });
    }
  }

  update(peers: readonly PeerInfo[], selected: string | undefined): void {
    this.#selected = selected;
    this.#layout.update(peers);
    this.#wake();
  }

  close(): void {
    cancelAnimationFrame(this.#frame);
    this.#observer.disconnect();
    this.#abort.abort();
  }

  #drag(event: PointerEvent): void {
    const place = this.#place(event);
    if (this.#dragged === undefined) {
      this.#canvas.style.cursor = this.#layout.at(...place) === undefined ? "default" : "grab";
      return;
    }
    [this.#dragged.fx, this.#dragged.fy] = place;
    this.#layout.wake();
    this.#wake();
  }

  #drop(): void {
    if (this.#dragged === undefined) return;
    // Where it belongs is told by its round trip, so it goes back.
    this.#dragged.fx = null;
    this.#dragged.fy = null;
    this.#dragged = undefined;
    this.#layout.wake();
    this.#wake();
  }

  /** Where in the layout a pointer is. */
  #place({ offsetX, offsetY }: PointerEvent): [x: number, y: number] {
    const { clientWidth, clientHeight } = this.#canvas;
    const scale = scaleOf(clientWidth, clientHeight);
    return [(offsetX - clientWidth / 2) / scale, (offsetY - clientHeight / 2) / scale];
  }

  #resize(): void {
    const { clientWidth, clientHeight } = this.#canvas;
    this.#canvas.width = clientWidth * devicePixelRatio;
    this.#canvas.height = clientHeight * devicePixelRatio;
    this.#paint();
  }

  #repaint(): void {
    this.#palette = readPalette(this.#canvas);
    this.#paint();
  }

  #wake(): void {
    if (this.#frame !== 0) return;
    const run = (): void => {
      const moves = this.#layout.step();
      this.#paint();
      this.#frame = moves ? requestAnimationFrame(run) : 0;
    };
    this.#frame = requestAnimationFrame(run);
  }

  #paint(): void {
    const context = this.#canvas.getContext("2d");
    if (context === null) return;
    draw(context, {
      dots: this.#layout.dots,
      selected: this.#selected,
      palette: this.#palette,
      width: this.#canvas.clientWidth,
      height: this.#canvas.clientHeight,
      density: devicePixelRatio,
    });
  }
}

function readPalette(element: Element): Palette {
  const style = getComputedStyle(element);
  const of = (name: string): string => style.getPropertyValue(`--${name}`).trim();
  return {
    text: of("text"),
    faint: of("faint"),
    grid: of("grid"),
    channel: of("channel"),
    session: of("session"),
    anchor: of("anchor"),
    me: of("accent"),
  };
}
