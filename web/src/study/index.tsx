// The screen of one study: the viewer, what the result says, and what the reader says to it.

import "./study.css";
import { useCallback, useEffect, useMemo, useState } from "preact/hooks";
import { Refusal, acknowledge, unacknowledge, wordsOf } from "../api";
import { useKeys } from "../keys";
import { copyText } from "../parts/copy";
import { Failure } from "../parts/states";
import { go } from "../router";
import { useSession } from "../shell/session";
import { toast } from "../shell/toasts";
import { clock, label } from "../words";
import { type Actions, actionsOf, pressed, refuseLength } from "./actions";
import { sendFeedback, sendNote } from "./data";
import { Disagree } from "./feedback";
import { Header, NoImage, Warnings } from "./header";
import { Panel } from "./panel";
import { Planes } from "./planes";
import { Stack } from "./stack";
import { StageView } from "./stage";
import { Toolbar } from "./toolbar";
import type { Label, Study } from "./types";
import { type Open, useStudy } from "./use-study";
import { useViewer } from "./use-viewer";
import { Viewer } from "./viewer";

export { prefetchStudy } from "./data";

/** A study: one revision of it, or the newest. */
export function StudyScreen(props: { uid: string; revision?: number }) {
  const { uid, revision } = props;
  const viewer = useMemo(() => new Viewer(uid), [uid]);
  useEffect(() => () => viewer.close(), [viewer]);
  const open = useStudy(uid, revision, viewer);
  const { view } = open;
  const [disagreeing, setDisagreeing] = useState<Label | null>(null);
  const says = useReader(uid, open, setDisagreeing);
  const actions = useMemo(() => actionsOf(viewer), [viewer]);
  useStudyKeys(viewer, actions, says);

  if (open.error !== null && !view) {
    const missing = open.error instanceof Refusal && open.error.status === 404;
    return missing ? (
      <div class="failure" role="alert">
        <h1>This study is not here</h1>
        <p>{wordsOf(open.error)}</p>
        <p>
          <a href="/">To the worklist</a>
        </p>
      </div>
    ) : (
      <Failure what="the study" error={open.error} again={open.reload} />
    );
  }
  const images = !view || view.series.some((series) => series.slices.length > 0);
  return (
    <div class="study">
      {view ? (
        <Header study={view.study} onAcknowledge={says.acknowledge} onUndo={says.undo} />
      ) : (
        <header class="study-head">
          <h1>Study</h1>
          <p role="status">Loading…</p>
        </header>
      )}
      <div class="study-body">
        <div class="study-view">
          {view && <Warnings uid={uid} view={view} newer={open.newer} gone={open.gone} />}
          {open.error !== null && <Failure what="this revision" error={open.error} again={open.reload} />}
          {images ? <Images viewer={viewer} actions={actions} /> : <NoImage view={view} />}
        </div>
        {view && (
          <Panel
            uid={uid}
            view={view}
            viewer={viewer}
            saying={{ agree: says.agree, disagree: setDisagreeing }}
            copy={says.copy}
            addNote={says.addNote}
          />
        )}
      </div>
      {disagreeing && view?.findings && (
        <Disagree
          findings={view.findings.findings}
          name={disagreeing}
          onSend={says.disagree}
          onClose={() => setDisagreeing(null)}
        />
      )}
    </div>
  );
}

function Images({ viewer, actions }: { viewer: Viewer; actions: Actions }) {
  const state = useViewer(viewer);
  const refuse = useCallback(() => refuseLength(viewer), [viewer]);
  return (
    <>
      <div class="study-work">
        <Toolbar viewer={viewer} actions={actions} />
        <div class={`study-images${state.planes ? " with-planes" : ""}`}>
          <StageView viewer={viewer} refuseLength={refuse} />
          {state.planes && <Planes viewer={viewer} />}
        </div>
      </div>
      <Stack viewer={viewer} />
    </>
  );
}

/** What the reader can do with the study. */
interface Reader {
  acknowledge: () => void;
  undo: () => void;
  agree: (name: Label) => void;
  disagree: (name: Label, note: string) => Promise<void>;
  askDisagree: () => void;
  addNote: (note: string) => Promise<void>;
  copy: () => void;
}

function useReader(uid: string, open: Open, ask: (name: Label) => void): Reader {
  const user = useSession().name;
  const { view } = open;
  const done = (event: string, name?: Label, note = "") => {
    const revision = view?.revision ?? 0;
    open.note({ user, event, note, revision, at: new Date().toISOString(), ...(name && { label: name }) });
  };
  const attempt = (what: Promise<void>) => {
    what.catch((error: unknown) => toast(wordsOf(error), "problem"));
  };
  const withReading = (study: Study, by?: string, at?: string) => ({
    ...study,
    reading: { ...study.reading, acknowledged_by: by, acknowledged_at: at },
  });
  return {
    acknowledge: () =>
      attempt((async () => {
        if (!view || view.revision === 0) return;
        const { by, at, now } = await acknowledge(uid, view.revision);
        toast(now ? "Acknowledged" : `${by} was first, at ${clock(at)}`);
        open.setStudy(withReading(view.study, by, at));
        if (now) done("acknowledged");
      })()),
    undo: () =>
      attempt((async () => {
        if (!view || view.revision === 0) return;
        const { done: words } = await unacknowledge(uid, view.revision);
        toast(words);
        open.setStudy(withReading(view.study));
        done("unacknowledged");
      })()),
    agree: (name) =>
      attempt((async () => {
        if (!view?.findings) return;
        await sendFeedback(uid, view.revision, name, true);
        done("agreed", name);
        toast(`You agree on ${label(name)}`);
      })()),
    disagree: async (name, note) => {
      if (!view?.findings) return;
      await sendFeedback(uid, view.revision, name, false, note);
      done("disagreed", name, note);
      toast(`You disagree on ${label(name)}`);
    },
    askDisagree: () => view?.findings && ask("any"),
    addNote: async (note) => {
      if (!view) return;
      await sendNote(uid, view.revision, note);
      done("noted", undefined, note);
      toast("Note added");
    },
    copy: () =>
      attempt((async () => {
        if (!view?.findings) return;
        toast((await copyText(view.findings.sentence)) ? "Sentence copied" : "The browser does not let this page copy; mark the sentence and copy it.");
      })()),
  };
}

function useStudyKeys(viewer: Viewer, actions: Actions, says: Reader): void {
  const step = (by: number) => () => viewer.step(by);
  // Keys of a length or of the planes come before those of the screen, which listen in the bubbling phase.
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      const { target } = event;
      const elsewhere = target instanceof Element && target.closest("input, textarea, select, button, dialog");
      if (event.ctrlKey || event.metaKey || event.altKey || elsewhere) return;
      if (!pressed(viewer, event)) return;
      event.preventDefault();
      event.stopPropagation();
    };
    addEventListener("keydown", press, { capture: true });
    return () => removeEventListener("keydown", press, { capture: true });
  }, [viewer]);
  useKeys("study", {
    up: step(1),
    down: step(-1),
    nextKeySlice: () => viewer.stepKeySlice(1),
    previousKeySlice: () => viewer.stepKeySlice(-1),
    first: () => viewer.go(0),
    last: () => viewer.go(Infinity),
    brain: () => actions.window("brain"),
    subdural: () => actions.window("subdural"),
    stroke: () => actions.window("stroke"),
    bone: () => actions.window("bone"),
    soft: () => actions.window("soft"),
    map: actions.map,
    planes: actions.planes,
    mirror: actions.mirror,
    length: actions.length,
    copy: says.copy,
    agree: () => says.agree("any"),
    disagree: says.askDisagree,
    acknowledge: says.acknowledge,
    undo: says.undo,
    larger: () => actions.zoom(1.25),
    smaller: () => actions.zoom(1 / 1.25),
    fit: actions.fit,
    oneToOne: actions.oneToOne,
    reset: actions.reset,
    back: () => go("/"),
  });
}
