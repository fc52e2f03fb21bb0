import { z } from "zod"
import { ForeignOptions, Framing, Settings } from "./app.ts"
import { bytes, numbers } from "./arrays.ts"
import { Pack } from "./pack.ts"

/** What a host can ask of the process that reads files of people. Every message is checked where it arrives. */

const file = {
  /** What the file is called, for what is said of it. */
  name: z.string(),
  /** Where it lies. */
  path: z.string(),
}

/** What a file is: of a kind that is read, or why it is not (a clause after its name). */
export const MediaKind = z.object({
  modality: z.enum(["image", "audio", "text"]).optional(),
  problem: z.string().optional(),
})
export type MediaKind = z.infer<typeof MediaKind>

/** A file as a pack sees it: canonical bytes, what was done to get them, and what it was made with if it was made here. */
export const Prompt = z.object({
  bytes,
  note: z.string(),
  settings: Settings.optional(),
  /** Of a sound: its samples, finer than the bytes. */
  samples: numbers.optional(),
  /** Of a picture: what of its framing makes a difference. */
  adjustable: z.object({ crop: z.boolean(), dither: z.boolean() }).optional(),
})
export type Prompt = z.infer<typeof Prompt>

/** Bytes that the process holds after an answer: what one file took stays with it. */
const held = z.number()

/** The folders of the app. */
const places = z.object({ shipped: z.string(), home: z.string(), cache: z.string() })

export const mediaProtocol = {
  methods: {
    detect: { params: z.object(file), result: z.object({ value: MediaKind, held }) },
    /** The file as a prompt for `pack`. */
    read: {
      params: z.object({ ...file, pack: Pack, framing: Framing.optional(), columns: z.boolean().default(false) }),
      result: z.object({ value: Prompt, held }),
    },
    /** Checks and keeps the pack in a folder; gives its name. Nothing is limited: for a process of its own. */
    importPack: { params: z.object({ folder: z.string(), places }), result: z.string() },
    /** Makes a pack of another package's weights, which are called `file`; gives its name. Nothing is limited either. */
    importWeights: {
      params: z.object({ path: z.string(), file: z.string(), options: ForeignOptions, places }),
      result: z.string(),
    },
  },
} as const
export type MediaProtocol = typeof mediaProtocol
