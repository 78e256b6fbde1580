// Words and numbers for readers: labels, classes, shares, times, names.

import type { Documents } from "./api";

const LABELS: Record<string, string> = {
  any: "any hemorrhage",
  epidural: "epidural",
  intraparenchymal: "intraparenchymal",
  intraventricular: "intraventricular",
  subarachnoid: "subarachnoid",
  subdural: "subdural",
};

/** The name of a label. */
export function label(name: string): string {
  return LABELS[name] ?? name;
}

/** A shape beside each class and verdict, so that colour is never alone. */
const SHAPES: Record<string, string> = {
  positive: "▲",
  present: "▲",
  "not sure": "◆",
  negative: "○",
  absent: "○",
  "not scored": "×",
};

/** The shape of a class or verdict; "…" where there is none yet. */
export function shape(word: string | null | undefined): string {
  return (word && SHAPES[word]) || "…";
}

/** A class in words. */
export function classWords(study: Pick<Documents["Study"], "class">): string {
  return study.class ?? "waiting";
}

/** A share as %, such as "87 %"; near the ends with more digits, never 0 or 100 where it is not. */
export function percent(share: number | null | undefined): string {
  if (share === null || share === undefined || !Number.isFinite(share)) return "–";
  const value = share * 100;
  if (value > 0 && value < 0.1) return "< 0.1 %";
  if (value < 100 && value > 99.9) return "> 99.9 %";
  const near = (value > 0 && value < 1) || (value > 99 && value < 100);
  return `${value.toFixed(near ? 1 : 0)} %`;
}

/** An interval of shares, such as "71 – 94 %". */
export function interval(rate: Documents["Rate"]): string {
  return `${(rate.low * 100).toFixed(0)} – ${(rate.high * 100).toFixed(0)} %`;
}

/** How long ago, read at a glance; to the second within the first hour. */
export function ago(then: string | Date, now: number = Date.now()): string {
  const seconds = Math.max(0, Math.floor((now - new Date(then).getTime()) / 1000));
  return duration(seconds);
}

/** A duration in s, read at a glance. */
export function duration(seconds: number): string {
  const whole = Math.floor(seconds);
  const [days, hours, minutes] = [Math.floor(whole / 86_400), Math.floor(whole / 3600) % 24, Math.floor(whole / 60) % 60];
  if (days > 0) return `${days} d ${hours} h`;
  if (hours > 0) return `${hours} h ${minutes} min`;
  if (minutes > 0) return `${minutes} min ${String(whole % 60).padStart(2, "0")} s`;
  return seconds < 10 && seconds !== whole ? `${seconds.toFixed(1)} s` : `${whole} s`;
}

/** A name of DICOM, "Family^Given^Middle^Prefix^Suffix" with its groups, as "Family, Given Middle". */
export function personName(name: string): string {
  const alphabetic = name.split("=").find((group) => group.replaceAll("^", "").trim() !== "") ?? "";
  const [family = "", given = "", middle = "", prefix = "", suffix = ""] = alphabetic.split("^").map((part) => part.trim());
  const rest = [prefix, given, middle, suffix].filter((part) => part !== "").join(" ");
  return family !== "" && rest !== "" ? `${family}, ${rest}` : family || rest;
}

/** A date of DICOM, "YYYYMMDD", as "YYYY-MM-DD"; other text as it is. */
export function dicomDate(date: string): string {
  const parts = /^(\d{4})(\d{2})(\d{2})$/.exec(date);
  return parts ? `${parts[1]}-${parts[2]}-${parts[3]}` : date;
}

/** Date and time of day here, to the second. */
export function dateTime(at: string | Date): string {
  const date = new Date(at);
  const two = (value: number) => String(value).padStart(2, "0");
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

/** The time of day here for today, date and time for other days. */
export function clock(at: string | Date): string {
  const words = dateTime(at);
  return words.startsWith(dateTime(new Date()).slice(0, 10)) ? words.slice(11, 16) : words.slice(0, 16);
}

/** Bytes in the unit that is read most easily. */
export function bytes(count: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  const power = count < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(count) / 3));
  const value = count / 1000 ** power;
  return `${value.toFixed(power === 0 || value >= 100 ? 0 : 1)} ${units[power]}`;
}

/** A count with its noun: "1 study", "2 studies". */
export function count(number: number, one: string, many: string): string {
  return `${number.toLocaleString("en")} ${number === 1 ? one : many}`;
}

/** Roles in words. */
export const ROLES: Record<Documents["Role"], string> = {
  reader: "reader",
  "imaging-team": "imaging team",
  administrator: "administrator",
};
