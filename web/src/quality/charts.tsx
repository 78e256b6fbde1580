// Small charts. What they show stands in a table beside them as well, so they are hidden from screen readers.

import type { Documents } from "../api";
import { percent } from "../words";

type Week = Documents["QualityWeek"];
type Rate = Documents["Rate"];

/** Size of a chart, px; narrow on a phone, so that its letters can be read. */
const [HEIGHT, LEFT, BOTTOM, TOP] = [200, 44, 26, 10];
const WIDTH = Math.min(640, Math.max(280, innerWidth - 24));

const across = (at: number, of: number) => LEFT + ((at + 0.5) / of) * (WIDTH - LEFT);
const up = (share: number) => TOP + (1 - share) * (HEIGHT - TOP - BOTTOM);

/** Lines at 0, 25, … 100 % of a scale. */
function Grid(props: { atMost?: number }) {
  const most = props.atMost ?? 1;
  return (
    <>
      {[0, 0.25, 0.5, 0.75, 1].map((share) => (
        <g key={share}>
          <line class="grid" x1={LEFT} x2={WIDTH} y1={up(share)} y2={up(share)} />
          <text class="axis" x={LEFT - 6} y={up(share) + 4} text-anchor="end">{percent(share * most)}</text>
        </g>
      ))}
    </>
  );
}

/** Names below: only so many that they do not overlap. */
function Below(props: { names: string[] }) {
  const every = Math.ceil((props.names.length * 70) / (WIDTH - LEFT));
  return (
    <>
      {props.names.map((name, at) => at % every === 0 && (
        <text key={name} class="axis" x={across(at, props.names.length)} y={HEIGHT - 8} text-anchor="middle">{name}</text>
      ))}
    </>
  );
}

/** Positive predictive values of weeks with their intervals. */
export function RatesByWeek(props: { weeks: Week[] }) {
  const { weeks } = props;
  return (
    <svg class="chart" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} aria-hidden="true">
      <Grid />
      <Below names={weeks.map((week) => week.monday.slice(5))} />
      {weeks.map(({ monday, ppv }, at) => ppv && (
        <g key={monday}>
          <line class="whisker" x1={across(at, weeks.length)} x2={across(at, weeks.length)} y1={up(ppv.low)} y2={up(ppv.high)} />
          <circle class="point" cx={across(at, weeks.length)} cy={up(ppv.value)} r="5" />
        </g>
      ))}
    </svg>
  );
}

/** Shares of scored studies that were flagged (filled) and not sure (outlined), week by week. */
export function FlaggedByWeek(props: { weeks: Week[] }) {
  const { weeks } = props;
  const shares = weeks.map(({ scored, flagged, not_sure }) => (scored > 0 ? [flagged / scored, not_sure / scored] as const : [0, 0] as const));
  const most = niceTop(Math.max(...shares.map(([flagged, unsure]) => flagged + unsure), 0));
  const width = Math.min(36, ((WIDTH - LEFT) / Math.max(weeks.length, 1)) * 0.6);
  const height = (share: number) => up(0) - up(share / most);
  return (
    <svg class="chart" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} aria-hidden="true">
      <Grid atMost={most} />
      <Below names={weeks.map((week) => week.monday.slice(5))} />
      {shares.map(([flagged, unsure], at) => (
        <g key={weeks[at]?.monday}>
          <rect class="fill" x={across(at, weeks.length) - width / 2} width={width} y={up(flagged / most)} height={height(flagged)} />
          <rect
            class="outline"
            x={across(at, weeks.length) - width / 2}
            width={width}
            y={up((flagged + unsure) / most)}
            height={height(unsure)}
          />
        </g>
      ))}
    </svg>
  );
}

/** The top of a scale: the next of 4, 8, 20, 40, 80 and 100 %, whose quarters are whole. */
function niceTop(most: number): number {
  return [0.04, 0.08, 0.2, 0.4, 0.8].find((top) => most <= top) ?? 1;
}

/** A share with its interval on a line from 0 to 100 %. */
export function RateLine(props: { rate: Rate }) {
  const { value, low, high } = props.rate;
  return (
    <svg class="rate" viewBox="0 0 200 16" aria-hidden="true">
      <rect class="track" width="200" height="2" y="7" />
      <rect class="fill" x={low * 200} width={Math.max(1, (high - low) * 200)} height="4" y="6" />
      <circle class="point" cx={Math.min(195, Math.max(5, value * 200))} cy="8" r="5" />
    </svg>
  );
}

/** Expected (outlined) and observed (filled) shares of probabilities in ten bins. */
export function Bins(props: { bins: [number, number][] }) {
  const { bins } = props;
  const most = niceTop(Math.max(...bins.flat(), 0));
  const half = ((WIDTH - LEFT) / Math.max(bins.length, 1)) * 0.35;
  const height = (share: number) => up(0) - up(share / most);
  return (
    <svg class="chart" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} aria-hidden="true">
      <Grid atMost={most} />
      <Below names={bins.map((_, bin) => binName(bin, bins.length))} />
      {bins.map(([expected, observed], bin) => (
        <g key={bin}>
          <rect class="outline" x={across(bin, bins.length) - half} width={half} y={up(expected / most)} height={height(expected)} />
          <rect class="fill" x={across(bin, bins.length)} width={half} y={up(observed / most)} height={height(observed)} />
        </g>
      ))}
    </svg>
  );
}

/** The name of a bin of probabilities of equal width. */
export function binName(bin: number, bins: number): string {
  return `${Math.round((bin / bins) * 100)}–${Math.round(((bin + 1) / bins) * 100)} %`;
}
