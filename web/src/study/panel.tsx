// Beside the image: findings, series, what was left out, revisions, deliveries, and what readers did.

import { address } from "../api";
import { go, studyAddress } from "../router";
import { count, dateTime, label, percent } from "../words";
import { FindingsTable, type Saying } from "./findings";
import { NoteForm } from "./feedback";
import type { Delivery, LeftOut, Reading, Series, StudyView } from "./types";
import type { Viewer } from "./viewer";

export function Panel(props: {
  uid: string;
  view: StudyView;
  viewer: Viewer;
  saying: Saying;
  copy: () => void;
  addNote: (note: string) => Promise<void>;
}) {
  const { uid, view, viewer } = props;
  return (
    <aside class="panel" aria-label="Result">
      {view.findings && (
        <FindingsTable
          findings={view.findings}
          readings={view.readings}
          revision={view.revision}
          saying={props.saying}
          copy={props.copy}
        />
      )}
      {view.series.length > 0 && <SeriesList uid={uid} view={view} viewer={viewer} />}
      {view.left_out.length > 0 && <LeftOutList left={view.left_out} />}
      <Readings readings={view.readings} />
      {view.revision > 0 && <NoteForm onSend={props.addNote} />}
      {view.revisions.length > 0 && <Revisions uid={uid} view={view} />}
      {view.deliveries.length > 0 && <Deliveries deliveries={view.deliveries} />}
      <p class="uid quiet">{`Study ${uid}`}</p>
    </aside>
  );
}

function SeriesList(props: { uid: string; view: StudyView; viewer: Viewer }) {
  const { uid, view } = props;
  return (
    <section aria-labelledby="series">
      <h2 id="series">Scored series</h2>
      <ol class="plain-list">
        {view.series.map((series, index) => (
          <li key={series.series_instance_uid}>
            <b>{series.description || `Series ${index + 1}`}</b>{" "}
            <span>{geometry(series)}</span>
            <span>{`any hemorrhage ${percent(series.probabilities.any)}`}</span>
            {series.warnings.map((warning) => (
              <small key={warning} class="warning">{`⚠ ${warning}`}</small>
            ))}
            <span class="links">
              <a href={volume(uid, index, view.revision)} download={`series-${index + 1}.nii.gz`}>
                Download NIfTI
              </a>
            </span>
          </li>
        ))}
      </ol>
      {view.ohif_url && (
        <p>
          <a href={view.ohif_url} target="_blank" rel="noopener noreferrer">
            Open in OHIF (new tab)
          </a>
        </p>
      )}
    </section>
  );
}

function volume(uid: string, series: number, revision: number): string {
  const route = "/api/v1/studies/{uid}/series/{series}/volume.nii.gz";
  return address(route, { uid, series }, { revision });
}

function geometry(series: Series): string {
  const spacing = series.slice_spacing_mm;
  const tilt = series.tilt_degrees ?? 0;
  const parts = [
    count(series.slices.length, "slice", "slices"),
    spacing ? `${spacing.toFixed(spacing < 10 ? 2 : 1)} mm apart` : "distance between slices unknown",
  ];
  if (tilt >= 0.5) parts.push(`gantry tilted by ${tilt.toFixed(1)}°`);
  return parts.join(", ");
}

function LeftOutList({ left }: { left: LeftOut[] }) {
  return (
    <section aria-labelledby="left-out">
      <h2 id="left-out">Left out</h2>
      <ul class="plain-list">
        {left.map((one) => (
          <li key={`${one.failed} ${one.reason}`} class={one.failed ? "warning" : ""}>
            {`${one.failed ? "⚠ broken: " : ""}${count(one.images, "image", "images")}: ${one.reason}`}
          </li>
        ))}
      </ul>
    </section>
  );
}

function Readings({ readings }: { readings: Reading[] }) {
  return (
    <section aria-labelledby="readings">
      <h2 id="readings">Readers</h2>
      {readings.length === 0 && <p class="quiet">Nobody has opened this result yet.</p>}
      <ul class="plain-list">
        {readings.map((one, index) => (
          <li key={index}>
            <b>{one.user}</b>{" "}
            {`${one.event}${one.label ? ` on ${label(one.label)}` : ""}, revision ${one.revision}`}{" "}
            <small>{dateTime(one.at)}</small>
            {one.note && <q class="note">{one.note}</q>}
          </li>
        ))}
      </ul>
    </section>
  );
}

function Revisions({ uid, view }: { uid: string; view: StudyView }) {
  // With its number even where it is the newest: the address without one may be that of an older one, still shown.
  const open = (revision: number) => go(`${studyAddress(uid)}?revision=${revision}`, "replace");
  return (
    <section aria-labelledby="revisions">
      <h2 id="revisions">Revisions</h2>
      <label class="tool-select">
        Shown
        <select
          value={String(view.revision)}
          onChange={(event) => open(Number(event.currentTarget.value))}
        >
          {view.revision === 0 && <option value="0">none yet</option>}
          {view.revisions.map((one) => (
            <option key={one.revision} value={String(one.revision)}>
              {`Revision ${one.revision}`}
            </option>
          ))}
        </select>
      </label>
      <ul class="plain-list">
        {view.revisions.map((one) => (
          <li key={one.revision}>
            {`Revision ${one.revision}: ${count(one.images, "image", "images")}, complete by ${one.settled_by}`}{" "}
            <small>{dateTime(one.at)}</small>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Deliveries({ deliveries }: { deliveries: Delivery[] }) {
  return (
    <section aria-labelledby="deliveries">
      <h2 id="deliveries">Deliveries</h2>
      <ul class="plain-list">
        {deliveries.map((one) => (
          <li key={one.id} class={one.state === "given up" ? "warning" : ""}>
            <b>{one.destination}</b>{" "}
            {`${one.kind}, revision ${one.revision}: ${one.state === "given up" ? "⚠ " : ""}${one.state}`}{" "}
            <small>{when(one)}</small>
            {one.last_error && one.state !== "delivered" && <small>{one.last_error}</small>}
            {one.answer && <small>{one.answer}</small>}
          </li>
        ))}
      </ul>
    </section>
  );
}

function when(one: Delivery): string {
  const failed = one.failures > 0 ? `failed ${count(one.failures, "time", "times")}` : "";
  const at = one.delivered_at ? dateTime(one.delivered_at) : "";
  const next = !at && one.next_at && one.failures > 0 ? `next try ${dateTime(one.next_at)}` : "";
  return [at, failed, next].filter(Boolean).join("; ");
}
