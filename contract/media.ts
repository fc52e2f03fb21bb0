import { z } from "zod"
import { Framing, Settings } from "./app.ts"
import { Pack } from "./pack.ts"

/** Messages between a host and the process that reads files of people. Every one is checked where it arrives. */

const file = {
  id: z.int(),
  /** What the file is called, for what is said of it. */
  name: z.string(),
  /** Where it lies. */
  path: z.string(),
}

export const MediaRequest = z.discriminatedUnion("type", [
  z.object({ type: z.literal("detect"), ...file }),
  /** The file as a prompt for `pack`. */
  z.object({
    type: z.literal("read"),
    ...file,
    pack: Pack,
    framing: Framing.optional(),
    columns: z.boolean().default(false),
  }),
])
export type MediaRequest = z.infer<typeof MediaRequest>
export type MediaQuestion = z.input<typeof MediaRequest>

/** What a file is: of a kind that is read, or why it is not (a clause after its name). */
export const MediaKind = z.object({
  modality: z.enum(["image", "audio", "text"]).optional(),
  problem: z.string().optional(),
})
export type MediaKind = z.infer<typeof MediaKind>

/** A file as a pack sees it: canonical bytes, what was done to get them, and what it was made with if it was made here. */
export const Prompt = z.object({
  bytes: z.custom<Uint8Array>((value) => value instanceof Uint8Array),
  note: z.string(),
  settings: Settings.optional(),
  /** Of a sound: its samples, finer than the bytes. */
  samples: z.custom<Float32Array>((value) => value instanceof Float32Array).optional(),
  /** Of a picture: what of its framing makes a difference. */
  adjustable: z.object({ crop: z.boolean(), dither: z.boolean() }).optional(),
})
export type Prompt = z.infer<typeof Prompt>

export const MediaAnswer = z.discriminatedUnion("type", [
  z.object({
    type: z.literal("done"),
    id: z.int(),
    result: z.unknown(),
    /** Bytes that the process holds: what one file took stays with it. */
    held: z.number(),
  }),
  /** The file cannot be read: one sentence, and details where it is more than a refusal. */
  z.object({ type: z.literal("refused"), id: z.int(), message: z.string(), details: z.string().optional() }),
])
export type MediaAnswer = z.infer<typeof MediaAnswer>
