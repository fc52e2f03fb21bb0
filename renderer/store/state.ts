import type {
  Alternative,
  DeviceReport,
  Framing,
  ListedItem,
  PackSummary,
  Preferences,
  Preview,
  Settings,
} from "../../contract/app.ts"
import type { LengthUnit } from "../../contract/characters.ts"
import { MAX_SEED } from "../../contract/limits.ts"
import type { Device } from "../../contract/pack.ts"
import { defaultSampling } from "../../contract/sampling.ts"
import type { AppEvent } from "../../contract/window.ts"
import type { Content } from "../lib/content.ts"
import type { PictureDraft } from "../lib/pixels.ts"

type Phase = Extract<AppEvent, { type: "phase" }>["phase"]
/** What else could have stood at each place of an item's patch, which begins at `at`. */
export type Alternatives = { id: string; at: number; bytes: Alternative[][] }

/** What is being written: for the progress line. */
export type Run = {
  ids: string[]
  total: number
  unit: LengthUnit
  phase: Phase
  began: number
  firstPatch: number | undefined
  bytes: number
  /** How much of `total` there is, and how much of that there was when this window heard of it. */
  made: number
  before: number
  /** The host has not answered yet. */
  asked: boolean
}

/** What the next generation goes on from: a text, or the first bytes of a picture or a sound. */
export type Draft = {
  text: string
  /** Where the cursor is in the text, in UTF-16 units. */
  caret?: number
  media?: PictureDraft
  /** The file that a picture was read from, how, and what of that makes a difference: it can be read otherwise. */
  file?: { file: File; key: string; framing: Framing; adjustable: { crop: boolean; dither: boolean } }
  /** What was opened: how the host calls it, its bytes, and its text where they are one. */
  opened?: { document: string; bytes: Uint8Array; text: string }
  name: string
  note: string
  /** The item that it came from, and the byte up to which it is still the same. */
  parent?: { id: string; at: number }
  /** The text as it was made here: unless it is changed, its last word is not the person's. */
  made?: string
  /** Written by the person and in no item yet. */
  typed?: boolean
}
export type Notice = { key: number; kind: "info" | "problem"; text: string; undo?: () => void; details?: string }

/** What a row shows of an item: the picture as an address. */
export type ShownPreview = Omit<Preview, "image"> & { image?: string }

/** The first screen, the work, or models and preferences. */
export type View = "home" | "work" | "models"

export type State = {
  connected: boolean
  packs: PackSummary[]
  items: Map<string, ListedItem>
  /** Excerpts, small pictures and waves of the items that were in sight. */
  previews: Map<string, ShownPreview>
  folder: string
  preferences: Preferences
  /** What runs here; undefined until it is asked for. */
  devices: DeviceReport[] | undefined
  /** What the last run was on. */
  ranOn: Device | undefined
  view: View
  /** The futures of the run that is shown, and which of them is in the document; none: the draft is. */
  shown: string[]
  chosen: string | undefined
  /** The draft is edited in the document's place, though its item is still shown beneath. */
  editing: boolean
  /** Contents by item, and a number that grows with every change to any of them. */
  contents: Map<string, Content>
  version: number
  run: Run | undefined
  /** Another package's weights that wait for what a person says of them. */
  weights: File | undefined
  /** Name of the file that is being read. */
  opening: string | undefined
  draft: Draft
  /** Times that something new was begun: each time its words can be typed at once. */
  beginnings: number
  settings: Settings
  /** A new seed for every generation, or the one that is set. */
  fixedSeed: boolean
  notices: Notice[]
  search: string
  /** Items whose contents have what is searched for; undefined until the host has answered. */
  found: Set<string> | undefined
  /** Whether the document is colored by surprise. */
  surprise: boolean
  /** The chosen patch of the document, and what else could have stood there. */
  patch: number | undefined
  alternatives: Alternatives | undefined
  /** Open panels. */
  libraryOpen: boolean
  settingsOpen: boolean
  helpOpen: boolean
}

export const emptyDraft: Draft = { text: "", name: "", note: "" }
export const newSeed = () => Math.floor(Math.random() * (MAX_SEED + 1))

export const begun = (run: Pick<Run, "ids" | "total" | "made" | "unit" | "asked">): Run => {
  return { ...run, before: run.made, phase: "loading", began: performance.now(), firstPatch: undefined, bytes: 0 }
}

export const initialState = (): State => ({
  connected: false,
  packs: [],
  items: new Map(),
  previews: new Map(),
  folder: "",
  preferences: { pack: "text", threads: 0, device: "auto", library: "", presets: [] },
  devices: undefined,
  ranOn: undefined,
  view: "home",
  shown: [],
  chosen: undefined,
  editing: false,
  contents: new Map(),
  version: 0,
  run: undefined,
  weights: undefined,
  opening: undefined,
  draft: emptyDraft,
  beginnings: 0,
  settings: { pack: "text", length: 600, seed: newSeed(), variations: 4, sampling: defaultSampling, style: 0 },
  fixedSeed: false,
  notices: [],
  search: "",
  found: undefined,
  surprise: false,
  patch: undefined,
  alternatives: undefined,
  libraryOpen: true,
  settingsOpen: false,
  helpOpen: false,
})
