// The worklist: what to look at first.

import "./worklist.css";
import { useCallback, useMemo, useRef } from "preact/hooks";
import { acknowledge as acknowledgeResult, unacknowledge, wordsOf } from "../api";
import { useKeys } from "../keys";
import { Empty, Failure, Loading } from "../parts/states";
import { go, studyAddress, useAddress } from "../router";
import { useSession } from "../shell/session";
import { toast } from "../shell/toasts";
import { clock, count, personName } from "../words";
import { FilterBar } from "./filters";
import { type Filters, MOST_ROWS, type Study, addressOf, filtersOf, isUnread, useList } from "./list";
import { Row } from "./row";
import { useRunningTimes, useSelection } from "./selection";

const NO_ROWS: Study[] = [];

const HEADS: [string, string][] = [
  ["rank", "Rank"],
  ["thumbnail", "Key slice"],
  ["class", "Class"],
  ["probability", "Any, leading subtype"],
  ["waiting", "Waiting"],
  ["patient", "Patient"],
  ["accession", "Accession"],
  ["description", "Study"],
  ["source", "Source"],
  ["state", "State"],
  ["sent", "Deliveries"],
];

/** The worklist. */
export function WorklistScreen() {
  const { query } = useAddress();
  const filters = filtersOf(query);
  const session = useSession();
  const list = useList(filters);
  const all = list.rows ?? NO_ROWS;
  const rows = useMemo(
    () => all.filter((row) => (!filters.source || row.source_ae === filters.source) && (!filters.unread || isUnread(row))),
    [all, filters.source, filters.unread],
  );
  const sources = useMemo(() => [...new Set(all.map((row) => row.source_ae))], [all]);
  const body = useRef<HTMLTableSectionElement>(null);
  const search = useRef<HTMLInputElement>(null);
  const first = useRef<HTMLSelectElement>(null);
  const selection = useSelection(body, rows);
  useRunningTimes(body);

  const newest = useRef(list);
  newest.current = list;
  const acknowledge = useCallback(async (study: Study) => {
    const name = personName(study.patient_name) || study.patient_id;
    if (!study.result_revision) return toast("There is no result to acknowledge yet.", "problem");
    try {
      const said = await acknowledgeResult(study.study_instance_uid, study.result_revision);
      newest.current.patch(study, { acknowledged_by: said.by, acknowledged_at: said.at });
      if (said.now) toast(`Acknowledged: ${name}`);
      else if (said.by === session.name) toast(`You had acknowledged it before, at ${clock(said.at)}.`);
      else toast(`${said.by} was first, at ${clock(said.at)}.`, "news");
    } catch (error) {
      toast(wordsOf(error), "problem");
    }
    newest.current.again();
  }, []);
  const undo = async (study: Study) => {
    if (!study.reading.acknowledged_by) return toast("It is not acknowledged.", "problem");
    try {
      await unacknowledge(study.study_instance_uid, study.result_revision ?? study.revision);
      newest.current.patch(study, { acknowledged_by: null, acknowledged_at: null });
      toast("The acknowledgement is taken back.");
    } catch (error) {
      toast(wordsOf(error), "problem");
    }
    newest.current.again();
  };
  const withSelected = (act: (study: Study) => void) => () => {
    const study = selection.current();
    if (study) act(study);
    else toast("Select a study first: j and k move.", "problem");
  };
  useKeys("worklist", {
    next: () => selection.moveTo((at) => at + 1),
    previous: () => selection.moveTo((at) => at - 1),
    first: () => selection.moveTo(() => 0),
    last: () => selection.moveTo((_, length) => length - 1),
    open: withSelected((study) => go(studyAddress(study.study_instance_uid))),
    acknowledge: withSelected((study) => void acknowledge(study)),
    undo: withSelected((study) => void undo(study)),
    search: () => search.current?.select(),
    filters: () => first.current?.focus(),
  });

  const narrow = (wanted: Filters) => go(addressOf(wanted), "replace");
  const select = (event: Event) => {
    const row = event.target instanceof Element ? event.target.closest("tr") : null;
    if (row?.dataset["uid"]) selection.mark(row.dataset["uid"]);
  };
  const positive = rows.filter((row) => row.class === "positive" && isUnread(row)).length;
  return (
    <>
      <div class="heading">
        <h1>Worklist</h1>
        {list.rows && <p class="quiet">{count(rows.length, "study", "studies")}, {positive} positive and unread</p>}
      </div>
      <FilterBar
        filters={filters}
        sources={sources}
        search={search}
        first={first}
        onChange={narrow}
        onLeave={() => selection.moveTo((at) => Math.max(0, at))}
      />
      {list.error !== undefined && <Failure what="the worklist" error={list.error} again={list.again} />}
      {!list.rows && list.error === undefined && <Loading what="the worklist" rows={8} />}
      {list.rows && rows.length === 0 && <Nothing filters={filters} onClear={narrow} />}
      {rows.length > 0 && (
        <>
          <table role="table" class="worklist">
            <caption class="hidden">
              Positive and unread studies first, by probability, then those of which nothing sure can be said, then
              the rest, newest first
            </caption>
            <thead role="rowgroup">
              <tr role="row">{HEADS.map(([name, head]) => <th role="columnheader" key={name} scope="col" class={name}>{head}</th>)}</tr>
            </thead>
            <tbody role="rowgroup" ref={body} onClick={select} onFocusIn={select}>
              {rows.map((study, at) => (
                <Row key={study.study_instance_uid} study={study} rank={at + 1} onAcknowledge={(one) => void acknowledge(one)} />
              ))}
            </tbody>
          </table>
          {list.more && (
            <p class="quiet">The first {MOST_ROWS} studies are loaded. Search or filter to see others.</p>
          )}
          <p class="quiet">A low probability does not exclude hemorrhage.</p>
        </>
      )}
    </>
  );
}

function Nothing(props: { filters: Filters; onClear: (filters: Filters) => void }) {
  const { filters } = props;
  if (filters.class || filters.state || filters.text || filters.source || filters.unread) {
    return (
      <Empty>
        <p>No study matches the filters.</p>
        <button
          type="button"
          onClick={() => props.onClear({ class: "", state: "", text: "", source: "", unread: false })}
        >
          Clear filters
        </button>
      </Empty>
    );
  }
  return (
    <Empty>
      <p><strong>No study has arrived yet.</strong></p>
      <p>
        Send head CT images to the DICOM port of this node; the worklist shows them as they come. The screen System
        names AE title and sources.
      </p>
    </Empty>
  );
}
