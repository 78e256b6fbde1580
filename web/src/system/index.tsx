// The state of the node: who sends, what waits, the disk, what fails to be delivered, the model, the configuration.

import "./system.css";
import { useEffect, useState } from "preact/hooks";
import { type Documents, change, onChange, read, useLoaded, wordsOf } from "../api";
import { Shown } from "../parts/states";
import { Facts, Table } from "../parts/table";
import { studyAddress } from "../router";
import { toast } from "../shell/toasts";
import { bytes, count, dateTime } from "../words";

type System = Documents["System"];

/** The state changes without the list doing so: it is read again so often, ms. */
const AGAIN = 10_000;

/** The screen. */
export function SystemScreen() {
  const system = useLoaded((signal) => read("/api/v1/system", { signal }), []);
  useEffect(() => {
    const stop = onChange(system.again, 2_000);
    const timer = setInterval(() => document.visibilityState === "visible" && system.again(), AGAIN);
    return () => {
      stop();
      clearInterval(timer);
    };
  }, []);
  return (
    <>
      <div class="heading"><h1>System</h1></div>
      <Shown what="the state of the node" of={system}>
        {(data) => (
          <>
            <Node of={data} />
            <Sources of={data.sources} />
            <Deliveries of={data} again={system.again} />
            <Model of={data.model} />
            <h2>Configuration, with every default</h2>
            <pre tabIndex={0} aria-label="Configuration">{data.configuration}</pre>
          </>
        )}
      </Shown>
    </>
  );
}

function Node(props: { of: System }) {
  const { of } = props;
  const { disk, queue } = of;
  const low = disk.free < disk.reserve;
  return (
    <>
      <Facts
        of={[
          ["Version", of.version],
          ["AE title", <span class="mono">{of.ae_title}</span>],
          ["Started", dateTime(of.started_at)],
          ["An acknowledged image has survived", of.durability === "power" ? "a loss of power" : "an end of the program"],
          ["Node UID", <span class="uid">{of.node_uid}</span>],
        ]}
      />
      <div class="tiles">
        <section aria-labelledby="queue">
          <h2 id="queue">Queue</h2>
          <Facts
            of={[
              ["Waiting", queue.waiting],
              ["Being scored", queue.scoring],
              ["Failed for good", queue.failed > 0 ? <strong class="problem">⚠ {queue.failed}</strong> : 0],
            ]}
          />
        </section>
        <section aria-labelledby="disk">
          <h2 id="disk">Disk</h2>
          <Used images={disk.images} atMost={disk.at_most} />
          <Facts
            of={[
              ["Images", `${bytes(disk.images)} of at most ${bytes(disk.at_most)}, ${count(disk.studies, "study", "studies")}`],
              ["Free", low ? <strong class="problem">⚠ {bytes(disk.free)}</strong> : bytes(disk.free)],
              ["No images are taken below", bytes(disk.reserve)],
            ]}
          />
        </section>
      </div>
    </>
  );
}

function Used(props: { images: number; atMost: number }) {
  const share = props.atMost > 0 ? Math.min(1, props.images / props.atMost) : 0;
  return (
    <svg class="used" viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true">
      <rect class="track" width="100" height="4" />
      <rect class="fill" width={share * 100} height="4" />
    </svg>
  );
}

function Sources(props: { of: System["sources"] }) {
  return (
    <>
      <h2>Sources in the last day</h2>
      {props.of.length === 0 ? <p class="quiet">Nobody has sent images in the last day.</p> : (
        <Table
          name="Sources"
          columns={[
            "AE title", "Address", number("Associations"), number("Open"), number("Broken off"), number("Images"), "Last",
          ]}
        >
          {props.of.map((source) => (
            <tr key={`${source.ae_title} ${source.peer}`}>
              <th scope="row" class="mono">{source.ae_title}</th>
              <td class="mono">{source.peer}</td>
              <td class="number">{source.associations}</td>
              <td class="number">{source.open}</td>
              <td class={source.broken > 0 ? "number problem" : "number"}>{source.broken > 0 ? `⚠ ${source.broken}` : 0}</td>
              <td class="number">{source.images.toLocaleString("en")}</td>
              <td>{dateTime(source.last_at)}</td>
            </tr>
          ))}
        </Table>
      )}
    </>
  );
}

function number(head: string): { head: string; number: true } {
  return { head, number: true };
}

function Deliveries(props: { of: System; again: () => void }) {
  const { destinations, failing } = props.of;
  return (
    <>
      <h2>Deliveries</h2>
      {destinations.length === 0 ? <p class="quiet">No destinations are configured: nothing is sent.</p> : (
        <Table
          name="Destinations"
          columns={[
            "Destination", "Kind", number("Waiting"), number("Failing"), number("Given up"), number("Delivered"),
          ]}
        >
          {destinations.map((destination) => (
            <tr key={destination.name}>
              <th scope="row">{destination.name}</th>
              <td>{destination.kind || "not configured any more"}</td>
              <td class="number">{destination.waiting}</td>
              <Bad count={destination.failing} />
              <Bad count={destination.given_up} />
              <td class="number">{destination.delivered.toLocaleString("en")}</td>
            </tr>
          ))}
        </Table>
      )}
      {failing.length > 0 && (
        <>
          <h3>Failing or given up, newest first</h3>
          <Table name="Failing deliveries" columns={["Study", "Destination", "What", "State", "Why", "Next try", "Changes"]}>
            {failing.map((one) => <Failing key={one.delivery.id} of={one} again={props.again} />)}
          </Table>
        </>
      )}
    </>
  );
}

function Bad(props: { count: number }) {
  return <td class={props.count > 0 ? "number problem" : "number"}>{props.count > 0 ? `⚠ ${props.count}` : 0}</td>;
}

function Failing(props: { of: Documents["FailingDelivery"]; again: () => void }) {
  const { study_instance_uid: uid, delivery } = props.of;
  const [sending, setSending] = useState(false);
  const retry = async () => {
    setSending(true);
    try {
      const path = { uid, id: delivery.id };
      const said = await change("/api/v1/studies/{uid}/deliveries/{id}/retry", undefined, { path });
      toast(said.done);
    } catch (error) {
      toast(wordsOf(error), "problem");
    }
    setSending(false);
    props.again();
  };
  return (
    <tr>
      <td><a class="uid" href={studyAddress(uid)}>{uid}</a></td>
      <td>{delivery.destination}</td>
      <td>{delivery.kind}</td>
      <td>{delivery.state}, {count(delivery.failures, "failure", "failures")}</td>
      <td class="why">{delivery.last_error ?? "–"}</td>
      <td>{delivery.next_at ? dateTime(delivery.next_at) : "none"}</td>
      <td>
        <button type="button" class="small" disabled={sending} onClick={() => void retry()}>Send now</button>
      </td>
    </tr>
  );
}

function Model(props: { of: System["model"] }) {
  const model = props.of;
  return (
    <>
      <h2>Model</h2>
      {!model ? <p class="quiet">The model is being loaded.</p> : (
        <>
          <Facts
            of={[
              ["Name", model.name],
              ["Version", model.version],
              ["Engine", model.engine],
              ["SHA-256", <span class="uid">{model.sha256}</span>],
            ]}
          />
          {model.card === "" ? <p class="quiet">The bundle of this model has no card.</p> : (
            <details>
              <summary>Model card</summary>
              <pre tabIndex={0} aria-label="Model card">{model.card}</pre>
            </details>
          )}
        </>
      )}
    </>
  );
}
