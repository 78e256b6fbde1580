// How good the node is at this site, by its readers' words.

import "./quality.css";
import { type Documents, address, read, useLoaded } from "../api";
import { Choice } from "../parts/form";
import { Shown } from "../parts/states";
import { Table } from "../parts/table";
import { go, useAddress } from "../router";
import { count, dateTime, duration, interval, label, percent } from "../words";
import { Bins, FlaggedByWeek, RateLine, RatesByWeek, binName } from "./charts";

type Quality = Documents["Quality"];

/** Weeks that can be chosen. */
const WEEKS = ["4", "12", "26", "52", "104"] as const;

/** The screen. */
export function QualityScreen() {
  const { query } = useAddress();
  const weeks = WEEKS.find((one) => one === query.get("weeks")) ?? "12";
  const quality = useLoaded((signal) => read("/api/v1/quality", { query: { weeks }, signal }), [weeks]);
  return (
    <>
      <div class="heading">
        <h1>Quality</h1>
        <div class="right choices">
          <Choice
            label="Period"
            value={weeks}
            options={WEEKS.map((one) => [one, `${one} weeks`] as const)}
            onChange={(chosen) => go(`/quality?weeks=${chosen}`, "replace")}
          />
          <a class="button" href={address("/api/v1/quality.csv", {}, { weeks })} download={`hemora-quality-${weeks}-weeks.csv`}>
            Table of the studies (CSV)
          </a>
        </div>
      </div>
      <Shown what="the quality" of={quality}>{(data) => <All of={data} />}</Shown>
    </>
  );
}

function All(props: { of: Quality }) {
  const { of } = props;
  return (
    <>
      <p>Since {dateTime(of.since).slice(0, 10)}. {of.how}</p>
      <Weeks of={of.weeks} />
      <div class="pairs">
        <Labels of={of.labels} />
        <Times of={of.times} />
        <DriftSection of={of.drift} />
        <NotScored of={of.not_scored} />
      </div>
    </>
  );
}

function number(head: string): { head: string; number: true } {
  return { head, number: true };
}

function Weeks(props: { of: Quality["weeks"] }) {
  const weeks = props.of;
  const scored = weeks.filter((week) => week.scored > 0);
  if (scored.length === 0) return <p class="quiet">No study was scored in this time.</p>;
  const empty = weeks.length - scored.length;
  const of = (part: number, all: number) => (all > 0 ? `${part} (${percent(part / all)})` : "–");
  return (
    <section aria-labelledby="weeks">
      <h2 id="weeks">Week by week</h2>
      <div class="pairs">
        <figure>
          <figcaption>Positive predictive value with its 95 % interval, by the Monday of the week</figcaption>
          {weeks.some((week) => week.ppv)
            ? <RatesByWeek weeks={weeks} />
            : <p>No reader has given feedback on a positive study yet: agree or disagree on its screen.</p>}
        </figure>
        <figure>
          <figcaption>
            Share of studies <span class="key fill" /> flagged as positive and <span class="key outline" /> not sure
          </figcaption>
          <FlaggedByWeek weeks={weeks} />
        </figure>
      </div>
      <Table
        name="Week by week"
        columns={[
          "Week of", number("Scored"), number("Flagged"), number("Not sure"), number("Confirmed"), number("Refuted"),
          number("PPV"), number("95 % interval"),
        ]}
      >
        {scored.toReversed().map((week) => (
          <tr key={week.monday}>
            <th scope="row">{week.monday}</th>
            <td class="number">{week.scored}</td>
            <td class="number">{of(week.flagged, week.scored)}</td>
            <td class="number">{of(week.not_sure, week.scored)}</td>
            <td class="number">{week.confirmed}</td>
            <td class="number">{week.refuted}</td>
            <td class="number">{percent(week.ppv?.value)}</td>
            <td class="number">{week.ppv ? interval(week.ppv) : "no feedback"}</td>
          </tr>
        ))}
      </Table>
      {empty > 0 && <p class="quiet">{`In ${count(empty, "week", "weeks")} of this time no study was scored.`}</p>}
    </section>
  );
}

function Labels(props: { of: Quality["labels"] }) {
  return (
    <section aria-labelledby="labels">
      <h2 id="labels">Agreement by label</h2>
      <Table
        name="Agreement by label"
        columns={["Label", number("Agree"), number("Disagree"), number("Agreement"), number("95 % interval"), "0 to 100 %"]}
      >
        {props.of.map((one) => (
          <tr key={one.label}>
            <th scope="row">{label(one.label)}</th>
            <td class="number">{one.agreed}</td>
            <td class="number">{one.disagreed}</td>
            <td class="number">{percent(one.agreement?.value)}</td>
            <td class="number">{one.agreement ? interval(one.agreement) : "–"}</td>
            <td>{one.agreement ? <RateLine rate={one.agreement} /> : "no feedback"}</td>
          </tr>
        ))}
      </Table>
    </section>
  );
}

function Times(props: { of: Quality["times"] }) {
  const time = (seconds: number | null | undefined) => (seconds === null || seconds === undefined ? "–" : duration(seconds));
  return (
    <section aria-labelledby="times">
      <h2 id="times">Times</h2>
      <Table name="Times" columns={["What", number("Studies"), number("Median"), number("95th percentile")]}>
        {props.of.map((one) => (
          <tr key={one.what}>
            <th scope="row">{one.what}</th>
            <td class="number">{one.studies}</td>
            <td class="number">{time(one.p50_s)}</td>
            <td class="number">{time(one.p95_s)}</td>
          </tr>
        ))}
      </Table>
    </section>
  );
}

function DriftSection(props: { of: Quality["drift"] }) {
  const drift = props.of;
  return (
    <section aria-labelledby="drift">
      <h2 id="drift">Drift of the probabilities</h2>
      {!drift ? <p class="quiet">Too few studies to say whether the probabilities drift.</p> : (
        <>
          <p>
            <strong>{drift.meaning}</strong> Population stability index {drift.psi.toFixed(3)}:
            {" "}{count(drift.studies, "study", "studies")} compared with {drift.reference}
            {" "}({count(drift.reference_studies, "study", "studies")}).
          </p>
          <figure>
            <figcaption>
              Share of studies by probability of any hemorrhage: <span class="key outline" /> expected,
              {" "}<span class="key fill" /> observed
            </figcaption>
            <Bins bins={drift.bins as [number, number][]} />
          </figure>
          <details>
            <summary>As a table</summary>
            <Table name="Drift" columns={["Probability", number("Expected"), number("Observed")]}>
              {drift.bins.map(([expected, observed], bin) => (
                <tr key={bin}>
                  <th scope="row">{binName(bin, drift.bins.length)}</th>
                  <td class="number">{percent(expected)}</td>
                  <td class="number">{percent(observed)}</td>
                </tr>
              ))}
            </Table>
          </details>
        </>
      )}
    </section>
  );
}

function NotScored(props: { of: Quality["not_scored"] }) {
  return (
    <section aria-labelledby="not-scored">
      <h2 id="not-scored">Not scored</h2>
      {props.of.length === 0 ? <p class="quiet">Every study was scored.</p> : (
        <Table name="Not scored" columns={["Why", number("Studies")]}>
          {props.of.map((one) => (
            <tr key={one.reason}><td>{one.reason}</td><td class="number">{one.studies}</td></tr>
          ))}
        </Table>
      )}
    </section>
  );
}
