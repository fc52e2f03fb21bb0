import { z } from "zod"
import { LengthUnit } from "./characters.ts"
import { MAX_LENGTH, MAX_SEED, MAX_THREADS, MAX_VARIATIONS } from "./limits.ts"
import { Device, Precision } from "./pack.ts"
import { Sampling } from "./sampling.ts"

/** Messages between a host and the engine's process. Every one is checked where it arrives. */

const bytes = z.instanceof(Uint8Array)
const byte = z.int().min(0).max(255)
const numbers = z.instanceof(Float32Array)

const target = {
  /** Folder of the pack. */
  pack: z.string(),
  precision: Precision,
  threads: z.int().min(0).max(MAX_THREADS),
  device: Device.default("cpu"),
}

export const GenerateRequest = z.object({
  type: z.literal("generate"),
  id: z.int(),
  ...target,
  prompt: bytes,
  /**
   * Of a run that was stopped and goes on: how many of the prompt's bytes it began with. Those after them are decoded
   * again or still known to have been, so that it makes what it would have made unstopped; left out, all are read.
   */
  began: z.int().min(0).optional(),
  /** What stands in place of the prompt's first bytes, as many, where it is too long and its end is taken: a header. Empty:
   * nothing does. */
  cutHeader: bytes.optional(),
  /** Both headers with the style left open, the document's own and the cut one's: what guidance leads away from. */
  open: z.object({ header: bytes, cutHeader: bytes }).optional(),
  /** How much to make for each variation, in `unit`. */
  length: z.int().min(1).max(MAX_LENGTH),
  unit: LengthUnit.default("bytes"),
  variations: z.int().min(1).max(MAX_VARIATIONS),
  seed: z.int().min(0).max(MAX_SEED),
  sampling: Sampling,
  /** Ends a variation after this byte, such as a text's end-of-document mark. */
  stopAt: byte.optional(),
  /** Bytes that are never drawn, such as that mark where the text is to go on. */
  barred: z.array(byte).max(255).default([]),
  /** Whether the prompt is text: its last word then stays as it is, and an unfinished character gets its other bytes. */
  isText: z.boolean().default(false),
})
export type GenerateRequest = z.infer<typeof GenerateRequest>

export const ScoreRequest = z.object({ type: z.literal("score"), id: z.int(), ...target, bytes })
export type ScoreRequest = z.infer<typeof ScoreRequest>
/** Makes a pack ready, before anything is asked of it. */
export const LoadRequest = z.object({ type: z.literal("load"), id: z.int(), ...target, sampling: Sampling })
export type LoadRequest = z.infer<typeof LoadRequest>

/** The likeliest bytes at each place of the last patch of `bytes`. */
export const AlternativesRequest = z.object({
  type: z.literal("alternatives"),
  id: z.int(),
  ...target,
  bytes,
  count: z.int().min(1).max(256),
})
export type AlternativesRequest = z.infer<typeof AlternativesRequest>

/** Requests as they are made: what has a default may be left out. */
export type GenerateInput = z.input<typeof GenerateRequest>
export type ScoreInput = z.input<typeof ScoreRequest>
export type LoadInput = z.input<typeof LoadRequest>
export type AlternativesInput = z.input<typeof AlternativesRequest>

/** Tries a device with a tiny graph or, with a pack, measures it there. For a process of its own: a driver may hang. */
export const ProbeRequest = z.object({
  type: z.literal("probe"),
  id: z.int(),
  device: Device,
  /** Whether the tiny graph is in fp16. */
  half: z.boolean().default(false),
  pack: z.object({ folder: z.string(), precision: Precision, threads: z.int() }).optional(),
  /** Milliseconds a patch beyond which the pack need not be measured any longer. */
  limit: z.number().optional(),
})
/** How the reason begins for which a pack was not measured to the end. */
export const TOO_SLOW = "it takes more than"
export type ProbeRequest = z.infer<typeof ProbeRequest>
export type ProbeInput = z.input<typeof ProbeRequest>

export const EngineRequest = z.discriminatedUnion("type", [
  GenerateRequest,
  ScoreRequest,
  ProbeRequest,
  LoadRequest,
  AlternativesRequest,
  /** Ends request `id` after the patch in hand. */
  z.object({ type: z.literal("cancel"), id: z.int() }),
])
export type EngineRequest = z.infer<typeof EngineRequest>

/** One variation's share of a finished patch. Bits are of the untempered model. */
export const PatchPart = z.object({ bytes, logprob: numbers, entropy: numbers })
export type PatchPart = z.infer<typeof PatchPart>

export const EngineEvent = z.discriminatedUnion("type", [
  z.object({
    type: z.literal("started"),
    id: z.int(),
    /** Bytes of the prompt that the model looks at; less than the prompt where that is longer than its context. */
    used: z.int(),
    /** Whole patches whose state was still there from the run before. */
    reused: z.int(),
    prefillMs: z.number(),
  }),
  z.object({
    type: z.literal("patch"),
    id: z.int(),
    /** Number of the patch, counted from the prompt's first byte. */
    index: z.int(),
    /** Nats a byte; a part is empty once its variation has ended. */
    parts: z.array(PatchPart),
  }),
  z.object({
    type: z.literal("done"),
    id: z.int(),
    reason: z.enum(["length", "end", "cancelled"]),
    decodeMs: z.number(),
  }),
  /** The device failed; the CPU goes on from the last finished patch. */
  z.object({ type: z.literal("fallback"), id: z.int(), message: z.string() }),
  z.object({ type: z.literal("loading"), id: z.int() }),
  z.object({ type: z.literal("loaded"), id: z.int(), loadMs: z.number() }),
  z.object({ type: z.literal("progress"), id: z.int(), bytes: z.int() }),
  z.object({ type: z.literal("scored"), id: z.int(), logprob: numbers, entropy: numbers, scoreMs: z.number() }),
  z.object({ type: z.literal("ready"), id: z.int() }),
  /** `count` bytes a place, likeliest first, and the share of each. */
  z.object({ type: z.literal("alternatives"), id: z.int(), bytes, shares: numbers }),
  /** The device works; with a pack, how long a patch takes on it. */
  z.object({ type: z.literal("probed"), id: z.int(), msPerPatch: z.number().optional() }),
  z.object({ type: z.literal("error"), id: z.int(), message: z.string() }),
  /** It is alive; between two of them it computes. */
  z.object({ type: z.literal("beat"), id: z.int() }),
])
export type EngineEvent = z.infer<typeof EngineEvent>
