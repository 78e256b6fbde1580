export { acknowledge, unacknowledge } from "./acknowledge";
export { Refusal, address, change, fetchRead, isAbort, nodeNow, onSessionEnd, read, sleep, wordsOf } from "./client";
export type { Documents, Query } from "./client";
export { connect, disconnect, onChange, onStreamRefused, useOffline } from "./events";
export { useLoaded } from "./load";
export type { Loaded } from "./load";
