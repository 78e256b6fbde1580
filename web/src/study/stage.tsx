// The stage: the slice, what is drawn over it, and what is written around it. Rendered once; the viewer draws to it.

import { useLayoutEffect, useRef } from "preact/hooks";
import { listen } from "./gestures";
import type { Viewer } from "./viewer";

export function StageView(props: { viewer: Viewer; refuseLength: () => boolean }) {
  const { viewer } = props;
  const stage = useRef<HTMLDivElement>(null);
  const frame = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const heat = useRef<HTMLCanvasElement>(null);
  const outline = useRef<SVGSVGElement>(null);
  const marks = useRef<SVGSVGElement>(null);
  const refuse = useRef(props.refuseLength);
  refuse.current = props.refuseLength;
  useLayoutEffect(() => {
    const parts = {
      stage: stage.current!,
      frame: frame.current!,
      canvas: canvas.current!,
      heat: heat.current!,
      outline: outline.current!,
      marks: marks.current!,
    };
    const detach = viewer.attach(parts);
    const stop = listen(parts.stage, viewer, () => refuse.current());
    return () => {
      stop();
      detach();
    };
  }, [viewer]);
  return (
    <div class="stage" ref={stage} tabIndex={-1} role="group" aria-label="Axial image">
      <div class="frame" ref={frame}>
        <canvas ref={canvas} data-testid="slice" role="img" aria-label="The slice is loading" />
        <canvas ref={heat} class="heat" aria-hidden="true" hidden />
        <svg ref={outline} class="outline gone" aria-hidden="true" preserveAspectRatio="none">
          <path class="halo" />
          <path class="line" />
        </svg>
      </div>
      <svg ref={marks} class="marks" aria-hidden="true" />
      <b class="edge at-left" data-hud="left" hidden />
      <b class="edge at-right" data-hud="right" hidden />
      <b class="edge at-top" data-hud="top" hidden />
      <b class="edge at-bottom" data-hud="bottom" hidden />
      <div class="corner at-up-left">
        <span data-hud="slice" hidden />
        <span data-hud="share" hidden />
      </div>
      <div class="corner at-up-right">
        <span data-hud="window" hidden />
        <span data-hud="pointer" hidden />
      </div>
      <div class="corner at-down-left">
        <span data-hud="map" hidden />
      </div>
      <div class="corner at-down-right">
        <span data-hud="scale" hidden />
      </div>
      <div class="badges">
        <span class="badge" data-hud="mirrored" hidden />
        <span class="badge" data-hud="unknown" hidden />
        <span class="badge" data-hud="measuring" hidden />
        <span class="badge" data-hud="loading" hidden />
      </div>
    </div>
  );
}
