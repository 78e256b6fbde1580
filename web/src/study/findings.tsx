// What the result says: each label with its share, verdict and thresholds, and whether the reader agrees.

import { keysOf } from "../keys";
import { dateTime, label, percent, shape } from "../words";
import type { Finding, Findings, Label, Reading } from "./types";

export interface Saying {
  agree: (name: Label) => void;
  disagree: (name: Label) => void;
}

export function FindingsTable(props: {
  findings: Findings;
  readings: Reading[];
  revision: number;
  saying: Saying;
  copy: () => void;
}) {
  const { findings, readings, revision, saying } = props;
  const [first, ...others] = findings.findings.map(limits);
  const common = others.every((one) => one === first) ? first : undefined;
  return (
    <section aria-labelledby="findings">
      <h2 id="findings">Findings</h2>
      <div class="scroll" tabIndex={0} role="group" aria-label="Findings by label">
        <table class="findings">
          <thead>
            <tr>
              <th scope="col">Label</th>
              <th scope="col">Result</th>
              <th scope="col" class="say">
                Right?
              </th>
            </tr>
          </thead>
          <tbody>
            {findings.findings.map((finding) => (
              <Row
                key={finding.label}
                finding={finding}
                limits={common ? undefined : limits(finding)}
                said={lastWord(readings, finding.label, revision)}
                saying={saying}
              />
            ))}
          </tbody>
        </table>
      </div>
      <p class="quiet">
        {common ? `Every label is ${common}, by ${findings.thresholds}` : `By ${findings.thresholds}`}
      </p>
      <h3>For the report</h3>
      <blockquote class="sentence">{findings.sentence}</blockquote>
      <p>
        <button type="button" onClick={props.copy}>
          Copy <kbd>{keysOf("study", "copy")[0]}</kbd>
        </button>
      </p>
      <p class="quiet">
        {`Model ${findings.model} ${findings.model_version} on ${findings.engine}, ${dateTime(findings.made_at)}.`}
      </p>
    </section>
  );
}

/** The thresholds of a label, in words. */
function limits({ absent_below: absent, present_from: present }: Finding): string {
  const below = absent < present ? `absent below ${percent(absent)}, ` : "";
  return `${below}present from ${percent(present)}`;
}

interface RowProps {
  finding: Finding;
  /** Its thresholds in words, where those of other labels differ. */
  limits: string | undefined;
  said: Reading | undefined;
  saying: Saying;
}

function Row(props: RowProps) {
  const { finding, said, saying } = props;
  const name = label(finding.label);
  const agreed = said?.event === "agreed";
  const disagreed = said?.event === "disagreed";
  return (
    <tr class={`verdict ${finding.verdict.replace(" ", "-")}`}>
      <th scope="row">
        {name}
        {props.limits && <small>{props.limits}</small>}
        {finding.reasons.map((reason) => (
          <small key={reason}>{reason}</small>
        ))}
      </th>
      <td>
        <span class="shape" aria-hidden="true">
          {shape(finding.verdict)}
        </span>{" "}
        <b>{finding.verdict}</b>
        <br />
        {percent(finding.probability)}
      </td>
      <td class="say">
        <button
          type="button"
          class="small"
          aria-pressed={agreed}
          aria-label={`Agree on ${name}`}
          title="Agree"
          onClick={() => saying.agree(finding.label)}
        >
          ✓
        </button>
        <button
          type="button"
          class="small"
          aria-pressed={disagreed}
          aria-label={`Disagree on ${name}`}
          title="Disagree"
          onClick={() => saying.disagree(finding.label)}
        >
          ✗
        </button>
        {said && <small>{`${said.user} ${said.event}`}</small>}
      </td>
    </tr>
  );
}

/** The newest feedback of a reader on a label of this revision. */
function lastWord(readings: Reading[], name: string, revision: number): Reading | undefined {
  return readings.findLast(
    (one) =>
      one.label === name &&
      one.revision === revision &&
      (one.event === "agreed" || one.event === "disagreed"),
  );
}
