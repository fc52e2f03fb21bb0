import { z } from "zod"
import { bytes, numbers } from "./arrays.ts"
import { LengthUnit } from "./characters.ts"
import { MAX_LENGTH, MAX_SEED, MAX_THREADS, MAX_VARIATIONS } from "./limits.ts"
import { Device, Precision } from "./pack.ts"
import type { Params, Result } from "./rpc.ts"
import { Sampling } from "./sampling.ts"

/** What a host can ask of the engine's process, one thing after the other. Every message is checked where it arrives. */

const byte = z.int().min(0).max(255)

const target = {
  /** Folder of the pack. */
  pack: z.string(),
  precision: Precision,
  threads: z.int().min(0).max(MAX_THREADS),
  device: Device.default("cpu"),
}

export const GenerateRequest = z.object({
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

export const ScoreRequest = z.object({ ...target, bytes })
export type ScoreRequest = z.infer<typeof ScoreRequest>
/** Makes a pack ready, before anything is asked of it. */
export const LoadRequest = z.object({ ...target, sampling: Sampling })
export type LoadRequest = z.infer<typeof LoadRequest>

/** The likeliest bytes at each place of the last patch of `bytes`. */
export const AlternativesRequest = z.object({
  ...target,
  bytes,
  count: z.int().min(1).max(256),
})
export type AlternativesRequest = z.infer<typeof AlternativesRequest>

/** Tries a device with a tiny graph or, with a pack, measures it there. For a process of its own: a driver may hang. */
export const ProbeRequest = z.object({
  device: Device,
  /** Whether the tiny graph is in fp16. */
  half: z.boolean().default(false),
  pack: z.object({ folder: z.string(), precision: Precision, threads: z.int() }).optional(),
  /** Milliseconds a patch beyond which the pack is not measured any longer: the error is `tooSlow`. */
  limit: z.number().optional(),
})
export type ProbeRequest = z.infer<typeof ProbeRequest>

/** One variation's share of a finished patch. Bits are of the untempered model. */
export const PatchPart = z.object({ bytes, logprob: numbers, entropy: numbers })
export type PatchPart = z.infer<typeof PatchPart>

const loading = z.object({ type: z.literal("loading") })
const loaded = z.object({ type: z.literal("loaded"), loadMs: z.number() })
/** The device failed; the CPU goes on from the last finished patch. */
const fallback = z.object({ type: z.literal("fallback"), message: z.string() })
const started = z.object({
  type: z.literal("started"),
  /** Bytes of the prompt that the model looks at; less than the prompt where that is longer than its context. */
  used: z.int(),
  /** Whole patches whose state was still there from the run before. */
  reused: z.int(),
  prefillMs: z.number(),
})
const patch = z.object({
  type: z.literal("patch"),
  /** Number of the patch, counted from the prompt's first byte. */
  index: z.int(),
  /** Nats a byte; a part is empty once its variation has ended. */
  parts: z.array(PatchPart),
})

/** What is told of a pack on the way to an answer. */
export const LoadEvent = z.discriminatedUnion("type", [loading, loaded, fallback])
export type LoadEvent = z.infer<typeof LoadEvent>
export const GenerateEvent = z.discriminatedUnion("type", [loading, loaded, fallback, started, patch])
export type GenerateEvent = z.infer<typeof GenerateEvent>
export const ScoreEvent = z.discriminatedUnion("type", [
  loading,
  loaded,
  fallback,
  z.object({ type: z.literal("progress"), bytes: z.int() }),
])
export type ScoreEvent = z.infer<typeof ScoreEvent>

export const engineProtocol = {
  methods: {
    /** Decodes after a prompt; aborted, it ends after the patch in hand. */
    generate: {
      params: GenerateRequest,
      event: GenerateEvent,
      result: z.object({ reason: z.enum(["length", "end", "cancelled"]), decodeMs: z.number() }),
    },
    /** Log-probability and entropy of every byte, in nats; aborted, of those that were read. */
    score: {
      params: ScoreRequest,
      event: ScoreEvent,
      result: z.object({ logprob: numbers, entropy: numbers, scoreMs: z.number() }),
    },
    load: { params: LoadRequest, event: LoadEvent, result: z.void() },
    /** `count` bytes a place, likeliest first, and the share of each. */
    alternatives: { params: AlternativesRequest, event: LoadEvent, result: z.object({ bytes, shares: numbers }) },
    /** The device works; with a pack, how long a patch takes on it. The error says why it does not work. */
    probe: { params: ProbeRequest, result: z.object({ msPerPatch: z.number().optional() }) },
  },
  /** It is alive; between two of them it computes. */
  event: z.literal("beat"),
} as const
export type EngineProtocol = typeof engineProtocol
export type EngineParams<N extends keyof EngineProtocol["methods"]> = Params<EngineProtocol, N>
export type EngineResult<N extends keyof EngineProtocol["methods"]> = Result<EngineProtocol, N>
