import { z } from "zod"
import {
  Alternative,
  DeviceReport,
  FileForm,
  FileName,
  ForeignOptions,
  Framing,
  ItemId,
  ListedItem,
  PackSummary,
  PreferenceChange,
  Preferences,
  Preview,
  Settings,
} from "./app.ts"
import { bytes, numbers } from "./arrays.ts"
import { LengthUnit } from "./characters.ts"
import { PACK_FILES } from "./files.ts"
import { MAX_DRAFT, MAX_LENGTH, MAX_PACK_NAME, MAX_TITLE } from "./limits.ts"
import { Modality } from "./modality/index.ts"
import { Device } from "./pack.ts"

/** What a window can ask of its host, and what it is told: over a WebSocket in a browser, over a MessagePort in Electron. */

const id = ItemId
const ids = z.array(id).max(100_000)
const pack = z.string().max(MAX_PACK_NAME)
const nothing = z.void()

/** The bytes of an item with the bits of each; bits of bytes that were given are negative. */
export const Content = z.object({ id, bytes, bits: numbers })
export type Content = z.infer<typeof Content>

/**
 * What a run begins with: bytes as they are, or the first `length` of what the host has: a document that it opened and
 * keeps (the error is `gone` where it no longer does), or an item, with another byte after them.
 */
export const Given = z.union([
  bytes,
  z.object({ document: z.uuid(), length: z.int().min(0) }),
  z.object({ item: id, length: z.int().min(0), next: z.int().min(0).max(255).optional() }),
])
export type Given = z.infer<typeof Given>

/** A file as a pack sees it. */
export const Opened = z.object({
  /** What its bytes are called from here on. */
  document: z.uuid(),
  name: z.string(),
  /** The pack that goes on from it. */
  pack: z.string(),
  modality: Modality,
  bytes,
  note: z.string(),
  settings: Settings.optional(),
  /** Of a picture: whether another crop, or dithering, would make it another one. */
  adjustable: z.object({ crop: z.boolean(), dither: z.boolean() }).optional(),
})
export type Opened = z.infer<typeof Opened>

/** An item as a file to save. */
export const Exported = z.object({ title: z.string(), extension: z.string(), mime: z.string(), bytes })
export type Exported = z.infer<typeof Exported>

export const AppEvent = z.discriminatedUnion("type", [
  z.object({
    type: z.literal("state"),
    packs: z.array(PackSummary),
    folder: z.string(),
    preferences: Preferences,
    /** What was being written when the last window closed. */
    draft: z.string(),
    /** Whether a run is on; it is told of next. */
    running: z.boolean(),
  }),
  /** A part of the library, newest first; a window gets all of it in such parts after its state. */
  z.object({ type: z.literal("items"), items: z.array(ListedItem) }),
  /** The packs there are, after one came or went. */
  z.object({ type: z.literal("packs"), packs: z.array(PackSummary) }),
  z.object({ type: z.literal("item"), item: ListedItem }),
  z.object({ type: z.literal("gone"), id }),
  /** A generation began, or is on when a window comes: its items, in the order of variations; `made` of `total` (0: nobody knows) is there. */
  z.object({ type: z.literal("run"), ids, total: z.int(), made: z.int(), unit: LengthUnit }),
  /** `device`: what the run is on, once that is known. */
  z.object({
    type: z.literal("phase"),
    phase: z.enum(["measuring", "loading", "reading", "writing"]),
    device: Device.optional(),
  }),
  /** New bytes of items with the bits of each, all patches since the last bundle. */
  z.object({ type: z.literal("patches"), parts: z.array(Content) }),
  /** What an item holds now: it is made again from there on. */
  z.object({ type: z.literal("content"), ...Content.shape }),
  z.object({ type: z.literal("finished"), reason: z.enum(["length", "end", "cancelled", "failed"]) }),
  /** The file that the app was opened with. */
  z.object({ type: z.literal("opened"), ...Opened.shape }),
  z.object({
    type: z.literal("notice"),
    kind: z.enum(["info", "problem"]),
    text: z.string(),
    /** What a person may hand on with a report: stacks, codes; the log file has it too. */
    details: z.string().max(10_000).optional(),
  }),
])
export type AppEvent = z.infer<typeof AppEvent>

export const windowProtocol = {
  methods: {
    /** Generates after `given`; all windows are told: `run`, then `patches` of each variation's item, then `finished`. */
    generate: {
      params: z.object({
        settings: Settings,
        given: Given,
        /** Name of the file that was given. */
        name: FileName.optional(),
        parent: z.object({ id, at: z.int().min(0) }).optional(),
        /** The run that these are further futures of. */
        run: id.optional(),
      }),
      result: nothing,
    },
    /** Goes on where an item stopped, in the item itself. */
    continue: {
      params: z.object({ id, length: z.int().min(1).max(MAX_LENGTH), untilEnd: z.boolean().optional() }),
      result: nothing,
    },
    /** How surprised the pack is by each byte; becomes a finished item. */
    score: { params: z.object({ pack, name: FileName, given: Given }), result: nothing },
    /** Ends what is being made, whoever asked for it. */
    stop: { params: z.object({}), result: nothing },
    /** Bytes of a file from `offset` on; the next piece waits for the answer. */
    upload: {
      params: z.object({ file: z.union([z.enum(PACK_FILES), z.uuid()]), offset: z.int().min(0), bytes }),
      result: nothing,
    },
    /**
     * Reads the file that was uploaded as `file` as a prompt, for `pack` where that fits it. A picture that can be framed
     * otherwise is kept, and opened again by its name; the error is `gone` where it no longer is.
     */
    open: {
      params: z.object({ name: FileName, pack, file: z.uuid(), framing: Framing.optional() }),
      result: Opened,
    },
    /** Checks and keeps the pack whose files have arrived; gives its name. */
    import: { params: z.object({}), result: z.string() },
    /** Makes a pack of another package's weights, which have arrived as `file`; gives its name. */
    importWeights: {
      params: z.object({ file: z.uuid(), name: FileName, options: ForeignOptions }),
      result: z.string(),
    },
    removePack: { params: z.object({ name: pack }), result: nothing },
    /** An item as a file to save. */
    export: { params: z.object({ id, form: FileForm }), result: Exported },
    read: { params: z.object({ id }), result: Content },
    /** What rows show of items' contents; nothing of those that have gone. */
    preview: { params: z.object({ ids: ids.max(100) }), result: z.array(Preview) },
    /** Items with these words in their text or title. */
    search: { params: z.object({ query: z.string().trim().min(1).max(500) }), result: ids },
    /** The likeliest bytes at each place of the patch that begins at `at`. */
    alternatives: { params: z.object({ id, at: z.int().min(0) }), result: z.array(z.array(Alternative)) },
    rename: { params: z.object({ id, title: z.string().trim().min(1).max(MAX_TITLE) }), result: nothing },
    favourite: { params: z.object({ id, on: z.boolean() }), result: nothing },
    delete: { params: z.object({ ids }), result: nothing },
    undelete: { params: z.object({ ids }), result: nothing },
    /** What is being written and is in no item yet, to be kept; empty: nothing is. */
    draft: { params: z.object({ text: z.string().max(MAX_DRAFT) }), result: nothing },
    /** Tries what there is to run on. */
    devices: { params: z.object({}), result: z.array(DeviceReport) },
    /** What changes of the preferences; the others stay, whatever the window last heard of them. */
    prefer: { params: z.object({ preferences: PreferenceChange }), result: nothing },
  },
  event: AppEvent,
} as const
export type WindowProtocol = typeof windowProtocol
export type Method = keyof WindowProtocol["methods"]
/** What a call brings, once it is checked. */
export type Asked<N extends Method> = z.output<WindowProtocol["methods"][N]["params"]>
