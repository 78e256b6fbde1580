// Whose study it is, what the result says in one line, and what a reader must know before looking at it.

import { keysOf } from "../keys";
import { go, studyAddress } from "../router";
import { classWords, clock, dicomDate, label, percent, personName, shape } from "../words";
import type { Study, StudyView } from "./types";

export function Header(props: { study: Study; onAcknowledge: () => void; onUndo: () => void }) {
  const { study } = props;
  const { reading } = study;
  const facts = [
    study.patient_id && `ID ${study.patient_id}`,
    study.patient_birth_date && `born ${dicomDate(study.patient_birth_date)}`,
    study.patient_sex && `sex ${study.patient_sex}`,
    study.accession_number && `accession ${study.accession_number}`,
    study.description,
    study.source_ae && `from ${study.source_ae}`,
  ].filter(Boolean);
  const kind = (study.class ?? "none").replace(" ", "-");
  const leading = study.leading_subtype ? `, leading: ${label(study.leading_subtype)}` : "";
  return (
    <header class="study-head">
      <div class="study-who">
        <a href="/" class="back">
          ← Worklist
        </a>
        <h1>{personName(study.patient_name) || study.patient_id || "No name"}</h1>
        <span class="quiet">{facts.join(" · ")}</span>
      </div>
      <div class="study-what">
        <span class={`class ${kind}`}>
          <span class="shape" aria-hidden="true">
            {shape(study.class)}
          </span>{" "}
          <b>{classWords(study)}</b>
          {study.probability !== undefined && study.probability !== null
            ? ` ${percent(study.probability)}${leading}`
            : ""}
        </span>
        {reading.acknowledged_by ? (
          <span class="acknowledged">
            {`Acknowledged by ${reading.acknowledged_by}${reading.acknowledged_at ? `, ${clock(reading.acknowledged_at)}` : ""} `}
            <button type="button" class="small" onClick={props.onUndo}>
              Undo <kbd>{keysOf("study", "undo")[0]}</kbd>
            </button>
          </span>
        ) : (
          (study.result_revision ?? 0) > 0 && (
            <button type="button" class="main" onClick={props.onAcknowledge}>
              Acknowledge <kbd>{keysOf("study", "acknowledge")[0]}</kbd>
            </button>
          )
        )}
      </div>
    </header>
  );
}

/** Above the image, where they are not overlooked. */
export function Warnings(props: { uid: string; view: StudyView; newer: number | null; gone: boolean }) {
  const { uid, view, newer, gone } = props;
  const said = new Set([
    ...(view.findings?.warnings ?? view.study.warnings),
    ...view.series.flatMap((series) => series.warnings),
  ]);
  const incomplete = view.findings?.may_be_incomplete ?? false;
  return (
    <div class="study-warnings">
      {gone && (
        <p class="banner" role="alert">
          ⚠ This study has been deleted from the node. What is shown here stays until you leave.{" "}
          <a href="/">To the worklist</a>
        </p>
      )}
      {newer !== null && (
        <p class="banner" role="alert">
          {`▲ Revision ${newer} is there; revision ${view.revision} is shown. `}
          <button type="button" class="small" onClick={() => go(`${studyAddress(uid)}?revision=${newer}`, "replace")}>
            Show revision {newer}
          </button>
        </p>
      )}
      {incomplete && <p class="banner">⚠ Images may be missing: the study may be incomplete.</p>}
      {[...said].map((warning) => (
        <p key={warning} class="warning">{`⚠ ${warning}`}</p>
      ))}
    </div>
  );
}

/** In the place of the image, where there is none. */
export function NoImage({ view }: { view: StudyView }) {
  const { study } = view;
  const [title, text] = why(view);
  return (
    <div class="stage empty-stage" role="status">
      <div>
        <p>
          <b>{title}</b>
        </p>
        <p>{text}</p>
        {study.last_error && <p>{`Last error: ${study.last_error}`}</p>}
      </div>
    </div>
  );
}

function why({ study, findings, images_removed: removed }: StudyView): [string, string] {
  const so = `${study.images} ${study.images === 1 ? "image" : "images"} so far`;
  if (removed) {
    return [
      "The images were removed",
      "Their time here had come. The findings stay; the images are in the archive.",
    ];
  }
  if (study.class === "not scored" || study.state === "not scored") {
    return ["This study was not scored", study.reason ?? "The node gives no reason."];
  }
  switch (study.state) {
    case "receiving": {
      const partial = study.partial_probability ?? null;
      const now = partial === null ? "" : ` Of what there is, any hemorrhage ${percent(partial)}.`;
      return ["Images are arriving", `${so}. The result comes when the study is complete.${now}`];
    }
    case "queued":
      return ["The study waits to be scored", `${so}. The result appears here by itself.`];
    case "scoring":
      return ["The study is being scored", `${so}. The result appears here by itself.`];
    case "failed":
      return ["Scoring failed", "The node tries again; the imaging team sees why on the page System."];
    default:
      return findings
        ? ["No image can be shown", "No series of this study was scored."]
        : ["There is no result yet", so];
  }
}
