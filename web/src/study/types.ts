// The documents of the study screen, by the names that its modules use.

import type { components } from "../api/schema";

type Schemas = components["schemas"];

export type StudyView = Schemas["StudyView"];
export type Study = Schemas["Study"];
export type Findings = Schemas["StudyFindings"];
export type Finding = Schemas["StudyFinding"];
export type Series = Schemas["ViewSeries"];
export type Slice = Schemas["ViewSlice"];
export type SliceRef = Schemas["SliceRef"];
export type Maps = Schemas["StudyMaps"];
export type SliceMap = Schemas["SliceMap"];
export type Delivery = Schemas["StudyDelivery"];
export type Reading = Schemas["StudyReading"];
export type LeftOut = Schemas["LeftOut"];
export type Label = Schemas["Label"];
