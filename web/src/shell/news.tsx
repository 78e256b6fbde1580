// New positive studies are announced on every screen: by words, and by a sound where the reader wants one.

import { useEffect, useState } from "preact/hooks";
import { type Documents, isAbort, onChange, read } from "../api";
import { studyAddress } from "../router";
import { keep, kept } from "../storage";
import { label, percent, personName } from "../words";
import { toast } from "./toasts";

/** Positive studies that are compared at each change: unread ones come first in the list. */
const COMPARED = 50;

const STORED = "hemora-sound";

/** Whether new positives are heard. */
export function hasSound(): boolean {
  return kept(STORED) === "on";
}

/** Turns the sound on, which plays it once, or off. */
export function setSound(on: boolean): void {
  keep(STORED, on ? "on" : "off");
  if (on) play();
}

let context: AudioContext | undefined;

/** Two short tones. A browser plays none before somebody has used the page; then the words must do. */
function play(): void {
  context ??= new AudioContext();
  for (const [start, pitch] of [[0, 660], [0.18, 880]] as const) {
    const tone = context.createOscillator();
    const volume = context.createGain();
    tone.frequency.value = pitch;
    const at = context.currentTime + start;
    volume.gain.setValueAtTime(0.15, at);
    volume.gain.exponentialRampToValueAtTime(0.001, at + 0.16);
    tone.connect(volume).connect(context.destination);
    tone.start(at);
    tone.stop(at + 0.17);
  }
}

/** A positive study in one line. */
function announcement(study: Documents["Study"]): string {
  const who = personName(study.patient_name) || study.patient_id || "no name";
  const leading = study.leading_subtype ? `, ${label(study.leading_subtype)} leads` : "";
  return `New positive study: ${who}, ${percent(study.probability)}${leading}`;
}

/** Speaks new positives (assertively: it is why the node is there), and counts unread ones in the title. */
export function News(props: { title: string }) {
  const [words, say] = useState("");
  const [unread, count] = useState(0);
  useEffect(() => {
    // The newest result that was there at the last look; undefined before the first.
    let newest: string | undefined;
    const announced = new Set<string>();
    const controller = new AbortController();
    const look = async () => {
      try {
        const query = { class: "positive", limit: COMPARED };
        const { studies } = await read("/api/v1/studies", { query, signal: controller.signal });
        const open = studies.filter((study) => !study.reading.acknowledged_by);
        count(open.length);
        const before = newest;
        newest = studies.reduce((latest, { result_at: at }) => (at && at > latest ? at : latest), before ?? "");
        if (before === undefined) {
          for (const study of studies) announced.add(study.study_instance_uid);
          return;
        }
        // One that moves up because others were acknowledged is not new: its result is older.
        const fresh = open.filter((study) => {
          return (study.result_at ?? "") > before && !announced.has(study.study_instance_uid);
        });
        for (const study of fresh) {
          announced.add(study.study_instance_uid);
          toast(announcement(study), "news", studyAddress(study.study_instance_uid));
        }
        if (fresh.length > 0) {
          say(fresh.map(announcement).join(". "));
          if (hasSound()) play();
        }
      } catch (error) {
        // The banner says when the node is not reached; the next change asks again.
        if (!isAbort(error)) return;
      }
    };
    void look();
    const stop = onChange(() => void look(), 1_000);
    return () => {
      stop();
      controller.abort();
    };
  }, []);
  useEffect(() => {
    document.title = `${unread > 0 ? `(${unread}${unread === COMPARED ? "+" : ""}) ` : ""}${props.title} · Hemora`;
  }, [unread, props.title]);
  return <div class="hidden" aria-live="assertive" data-testid="news">{words}</div>;
}
