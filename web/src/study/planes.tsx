// Coronal and sagittal images beside the axial one, with the lines where the others cut.

import { useEffect, useRef } from "preact/hooks";
import { SliceCanvas } from "./canvas";
import type { Series } from "./types";
import { useViewer } from "./use-viewer";
import type { Viewer } from "./viewer";
import { type Lines, cutThrough, lineOf, lines, planeLetters, reducedSide, sliceAt } from "./volume";

type Which = "coronal" | "sagittal";

export function Planes({ viewer }: { viewer: Viewer }) {
  useViewer(viewer);
  const { series } = viewer;
  if (!series) return null;
  const plane = lines(series);
  if (typeof plane === "string") {
    return (
      <p class="planes-refused" role="status">
        {`No coronal and sagittal images: ${plane}.`}
      </p>
    );
  }
  const tilt = series.tilt_degrees ?? 0;
  const how = series.shift ? "these images are straightened" : "these images are not straightened";
  return (
    <div class="planes">
      {tilt >= 0.5 && (
        <p class={`planes-note${series.shift ? " quiet" : ""}`}>{`The gantry was tilted by ${tilt.toFixed(1)}°; ${how}.`}</p>
      )}
      <Plane which="coronal" viewer={viewer} series={series} plane={plane} />
      <Plane which="sagittal" viewer={viewer} series={series} plane={plane} />
    </div>
  );
}

function Plane(props: { which: Which; viewer: Viewer; series: Series; plane: Lines }) {
  const { which, viewer, series, plane } = props;
  const box = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const cross = useRef<SVGPathElement>(null);
  const wait = useRef<HTMLSpanElement>(null);
  const { look } = viewer.state;
  const mirrored = which === "coronal" && look.mirrored;
  const first = series.slices[0];
  const seen = planeLetters(which, first?.edges, look.mirrored);
  const [down, right] = first?.spacing_mm ?? [1, 1];
  const across = which === "coronal" ? (first?.columns ?? 1) * right! : (first?.rows ?? 1) * down!;
  const high = plane.slices.length * plane.step;

  useEffect(() => {
    const drawing = new SliceCanvas(canvas.current!);
    const side = reducedSide(series);
    let drawn = "";
    let arrived = 0;
    const draw = () => {
      const { cut, window, series: at, slice } = viewer.state;
      const share = which === "coronal" ? cut.row : cut.column;
      const x = (which === "coronal" ? cut.column : cut.row) * 100;
      const y = ((lineOf(plane, slice) + 0.5) / plane.slices.length) * 100;
      cross.current?.setAttribute("d", `M0 ${y}H100M${x} 0V100`);
      const key = `${share} ${window.level} ${window.width} ${arrived}`;
      if (key === drawn) return;
      drawn = key;
      const source = (index: number) => viewer.cache.get(viewer.address({ series: at, slice: index }, side));
      const pixels = cutThrough(which, series, plane, source, cut);
      if (pixels) drawing.draw(pixels, window);
      const wanted = plane.slices.filter((index) => index !== null) as number[];
      const here = wanted.filter((index) => viewer.cache.has(viewer.address({ series: at, slice: index }, side)));
      const words = here.length < wanted.length ? `${here.length} of ${wanted.length} slices loaded` : "";
      if (wait.current && wait.current.textContent !== words) wait.current.textContent = words;
    };
    let frame = 0;
    const soon = () => {
      frame ||= requestAnimationFrame(() => {
        frame = 0;
        draw();
      });
    };
    // Many slices arrive at once: the planes follow a few times a second.
    let timer: ReturnType<typeof setTimeout> | undefined;
    const stops = [
      viewer.onDraw(draw),
      viewer.cache.onArrival(() => {
        arrived++;
        timer ??= setTimeout(() => {
          timer = undefined;
          soon();
        }, 150);
      }),
    ];
    viewer.prefetchPlanes();
    draw();
    return () => {
      for (const stop of stops) stop();
      cancelAnimationFrame(frame);
      clearTimeout(timer);
    };
  }, [viewer, series, plane, which]);

  const point = (event: PointerEvent) => {
    const area = box.current!.getBoundingClientRect();
    const share = (at: number, from: number, size: number) =>
      Math.min(Math.max((at - from) / size, 0), 0.9999);
    const x = share(event.clientX, area.left, area.width);
    const y = share(event.clientY, area.top, area.height);
    const { cut } = viewer.state;
    const along = mirrored ? 0.9999 - x : x;
    const slice = sliceAt(plane, Math.floor(y * plane.slices.length));
    viewer.set({
      slice,
      cut: which === "coronal" ? { ...cut, column: along } : { ...cut, row: along },
    });
  };
  const name = which === "coronal" ? "Coronal" : "Sagittal";
  const sides = seen ? `, ${seen[0]} at the left, ${seen[1]} at the right, head at the top` : ", orientation unknown";
  return (
    <figure class="plane">
      <div
        ref={box}
        class={`plane-box${mirrored ? " mirrored" : ""}`}
        style={{ aspectRatio: `${across} / ${high}`, maxWidth: `calc(30dvh * ${across / high})` }}
        onPointerDown={(event) => {
          if (event.button !== 0) return;
          box.current!.setPointerCapture(event.pointerId);
          point(event);
        }}
        onPointerMove={(event) => event.buttons === 1 && point(event)}
      >
        <canvas ref={canvas} data-testid={which} role="img" aria-label={`${name} image${sides}`} />
        <svg viewBox="0 0 100 100" preserveAspectRatio="none" aria-hidden="true">
          <path ref={cross} />
        </svg>
        {seen?.map((letter, index) => (
          <b key={index} class={`edge at-${["left", "right", "top", "bottom"][index]}`}>
            {letter}
          </b>
        ))}
      </div>
      <figcaption>
        {`${name}${mirrored ? ", MIRRORED" : ""}${seen ? "" : ", orientation unknown"} `}
        <span ref={wait} class="quiet" />
      </figcaption>
    </figure>
  );
}
