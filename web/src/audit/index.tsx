// Who did what: the audit, newest first, and whether it is what was written.

import { useEffect, useState } from "preact/hooks";
import { type Documents, read, useLoaded, wordsOf } from "../api";
import { Field } from "../parts/form";
import { Empty, Shown } from "../parts/states";
import { Table } from "../parts/table";
import { go, studyAddress, useAddress } from "../router";
import { toast } from "../shell/toasts";
import { count, dateTime } from "../words";

type Entry = Documents["AuditEntry"];

/** Rows a page. */
const PAGE = 100;

const FILTERS = ["who", "what", "study"] as const;

/** The screen. */
export function AuditScreen() {
  const { query } = useAddress();
  const asked = Object.fromEntries(FILTERS.map((name) => [name, query.get(name) ?? ""]));
  const key = JSON.stringify(asked);
  const page = useLoaded(async (signal) => {
    // With what was asked for: the page before stands until this one is here.
    return { asked, first: await read("/api/v1/audit", { query: { ...asked, limit: PAGE }, signal }) };
  }, [key]);
  return (
    <>
      <div class="heading"><h1>Audit</h1><Verify /></div>
      <Filters key={key} asked={asked} />
      <Shown what="the audit" of={page}>
        {(of) => <Rows key={`${JSON.stringify(of.asked)} ${of.first.rows[0]?.n ?? 0}`} first={of.first} asked={of.asked} />}
      </Shown>
    </>
  );
}

function Filters(props: { asked: Record<string, string> }) {
  const [asked, set] = useState(props.asked);
  const apply = (wanted: Record<string, string>) => {
    const query = new URLSearchParams(Object.entries(wanted).filter(([, value]) => value !== ""));
    go(query.size > 0 ? `/audit?${query}` : "/audit", "replace");
  };
  const field = (name: string, label: string) => (
    <Field label={label} value={asked[name] ?? ""} onInput={(value) => set({ ...asked, [name]: value.trim() })} optional />
  );
  return (
    <form class="filters" onSubmit={(event) => { event.preventDefault(); apply(asked); }}>
      {field("who", "User, token or AE title")}
      {field("what", "What was done")}
      {field("study", "StudyInstanceUID")}
      <button type="submit">Filter</button>
      {Object.values(props.asked).some(Boolean) && <button type="button" onClick={() => apply({})}>Clear filters</button>}
    </form>
  );
}

function Rows(props: { first: Documents["AuditPage"]; asked: Record<string, string> }) {
  const [rows, setRows] = useState<Entry[]>(props.first.rows);
  const [next, setNext] = useState(props.first.next);
  const [loading, setLoading] = useState(false);
  const older = async () => {
    setLoading(true);
    try {
      const page = await read("/api/v1/audit", { query: { ...props.asked, limit: PAGE, before: next ?? undefined } });
      setRows([...rows, ...page.rows]);
      setNext(page.next);
    } catch (error) {
      toast(wordsOf(error), "problem");
    }
    setLoading(false);
  };
  if (rows.length === 0) return <Empty><p>Nothing in the audit matches.</p></Empty>;
  return (
    <>
      <Table name="Audit" columns={[{ head: "Number", number: true }, "When", "Who", "What", "Study", "More", "Hash"]}>
        {rows.map((row) => (
          <tr key={row.n}>
            <td class="number">{row.n}</td>
            <td><time dateTime={row.at}>{dateTime(row.at)}</time></td>
            <td>{row.who}</td>
            <td>{row.what}</td>
            <td>{row.study ? <a class="uid" href={studyAddress(row.study)}>{row.study}</a> : "–"}</td>
            <td class="detail">{row.detail || "–"}</td>
            <td class="mono hash" title={row.hash}>{row.hash.slice(0, 8)}</td>
          </tr>
        ))}
      </Table>
      {next !== undefined && next !== null
        ? <p><button type="button" disabled={loading} onClick={() => void older()}>Older rows</button></p>
        : <p class="quiet">These are all rows.</p>}
    </>
  );
}

/** Has the node check that no row was changed or removed. */
function Verify() {
  const [said, setSaid] = useState<Documents["AuditVerified"]>();
  const [checking, setChecking] = useState(false);
  useEffect(() => setChecking(false), [said]);
  const verify = async () => {
    setChecking(true);
    try {
      setSaid(await read("/api/v1/audit/verify"));
    } catch (error) {
      toast(wordsOf(error), "problem");
      setChecking(false);
    }
  };
  return (
    <>
      <button type="button" disabled={checking} onClick={() => void verify()}>
        {checking ? "Checking…" : "Check the chain"}
      </button>
      <p role="status">
        {said && (said.problem
          ? <strong class="problem">⚠ {said.problem}</strong>
          : <>✓ All {count(said.rows, "row is", "rows are")} as they were written.</>)}
      </p>
    </>
  );
}
