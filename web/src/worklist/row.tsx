// A row of the worklist. It is rendered again only when its study or rank changes: which row is selected is a
// matter of the table (see `selection.ts`).

import { Component } from "preact";
import { address, nodeNow } from "../api";
import { studyAddress } from "../router";
import { ago, classWords, clock, count, dicomDate, label, percent, personName, shape } from "../words";
import { type Study, isWaiting } from "./list";

interface Props {
  study: Study;
  rank: number;
  onAcknowledge: (study: Study) => void;
}

/** A study of the list. */
export class Row extends Component<Props> {
  override shouldComponentUpdate(next: Props): boolean {
    return next.study !== this.props.study || next.rank !== this.props.rank;
  }

  render({ study, rank, onAcknowledge }: Props) {
    const uid = study.study_instance_uid;
    const word = classWords(study);
    const patient = personName(study.patient_name) || study.patient_id || "no name";
    return (
      <tr role="row" data-uid={uid} class={study.reading.acknowledged_by ? "seen" : ""}>
        <td role="cell" class="rank">{rank}</td>
        <td role="cell" class="thumbnail">{study.key_slice && <Thumbnail study={study} />}</td>
        <td role="cell" class={`class ${word.replace(" ", "-")}`}>
          <span class="word"><span class="shape" aria-hidden="true">{shape(study.class)}</span> {word}</span>
          {study.reason && <small>{study.reason}</small>}
        </td>
        <td role="cell" class="probability"><Probability study={study} /></td>
        <td role="cell" class="waiting"><Waiting study={study} /></td>
        <th role="rowheader" scope="row" class="patient">
          <a class="open" href={studyAddress(uid)} aria-label={`${patient}, ${word}${spoken(study)}`}>{patient}</a>
          <small>
            {[study.patient_id, dicomDate(study.patient_birth_date), study.patient_sex].filter(Boolean).join(" · ")}
          </small>
        </th>
        <td role="cell" class="accession">{study.accession_number || "–"}</td>
        <td role="cell" class="description">
          {study.description || "–"}
          <small>{count(study.images, "image", "images")}{study.revision > 1 ? ` · revision ${study.revision}` : ""}</small>
          {study.warnings.length > 0 && (
            <small class="warning" title={study.warnings.join("\n")}>⚠ {study.warnings[0]}</small>
          )}
        </td>
        <td role="cell" class="source">{study.source_ae || "–"}</td>
        <td role="cell" class="state">
          <State study={study} />
          {study.result_revision && !study.reading.acknowledged_by && (
            <button type="button" class="small" tabIndex={-1} onClick={() => onAcknowledge(study)}>Acknowledge</button>
          )}
        </td>
        <td role="cell" class="sent"><Deliveries study={study} /></td>
      </tr>
    );
  }
}

function spoken(study: Study): string {
  return study.probability === undefined || study.probability === null ? "" : `, ${percent(study.probability)}`;
}

function Thumbnail({ study }: { study: Study }) {
  const path = { uid: study.study_instance_uid };
  // A new revision has a new picture.
  const source = `${address("/api/v1/studies/{uid}/thumbnail", path)}?of=${study.result_revision ?? 0}`;
  return <img src={source} alt="" loading="lazy" decoding="async" width={48} height={48} onError={hide} />;
}

/** A picture that cannot be had leaves its place empty: the images may be gone. */
function hide(event: Event): void {
  if (event.currentTarget instanceof HTMLElement) event.currentTarget.hidden = true;
}

function Probability({ study }: { study: Study }) {
  if (study.probability === undefined || study.probability === null) {
    const partial = study.partial_probability;
    return partial === undefined || partial === null ? <>–</> : <>{percent(partial)}<small>so far</small></>;
  }
  const leads = study.leading_subtype && study.class !== "negative";
  return (
    <>
      <span class="figure">{percent(study.probability)}</span>
      {leads && <small>{label(study.leading_subtype ?? "")}</small>}
    </>
  );
}

function Waiting({ study }: { study: Study }) {
  const runs = isWaiting(study);
  return (
    <>
      <time dateTime={study.last_image_at} data-since={runs ? study.last_image_at : undefined}>
        {runs ? ago(study.last_image_at, nodeNow()) : clock(study.last_image_at)}
      </time>
      {!runs && <small>last image</small>}
    </>
  );
}

/** The state in a reader's words. */
function State({ study }: { study: Study }) {
  const { acknowledged_by, acknowledged_at, opened_by, opened_at } = study.reading;
  if (study.state === "receiving") return <>receiving… <small>{count(study.images, "image", "images")} so far</small></>;
  if (study.state === "queued" || study.state === "scoring") return <>{study.state}…</>;
  if (study.state === "failed") return <>scoring failed<small>{study.last_error}</small></>;
  if (acknowledged_by) {
    return <>acknowledged<small>{acknowledged_by}{acknowledged_at ? `, ${clock(acknowledged_at)}` : ""}</small></>;
  }
  if (opened_by) return <>opened<small>{opened_by}{opened_at ? `, ${clock(opened_at)}` : ""}</small></>;
  return <strong>new</strong>;
}

function Deliveries({ study }: { study: Study }) {
  const { waiting, delivered, failing, given_up } = study.sent;
  const parts = [
    given_up > 0 && <span key="given" class="problem">× {given_up} given up</span>,
    failing > 0 && <span key="failing" class="problem">⚠ {failing} failing</span>,
    waiting > 0 && <span key="waiting">{waiting} waiting</span>,
    delivered > 0 && <span key="delivered">✓ {delivered} delivered</span>,
  ].filter(Boolean);
  return parts.length > 0 ? <>{parts}</> : <>–</>;
}
