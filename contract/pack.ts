import { z } from "zod"

const count = z.int().positive().max(65536)

/** One transformer of the model: the global or the local one. */
export const Stage = z
  .object({ width: count, layers: z.int().min(0).max(256), heads: count, kv_heads: count, ff: count })
  .strict()
  .refine((s) => s.width % s.heads === 0, { error: "width must be a multiple of heads" })
  .refine((s) => s.heads % s.kv_heads === 0, { error: "heads must be a multiple of kv_heads" })
export type Stage = z.infer<typeof Stage>

/** Hashed n-gram embeddings of the last bytes (BLT, arXiv 2412.09871, section 3.2.1). */
export const NGrams = z
  .object({
    orders: z.array(z.int().min(2).max(8)).min(1).max(8),
    rows: z
      .int()
      .min(2)
      .max(1 << 20)
      .refine((n) => (n & (n - 1)) === 0, { error: "rows must be a power of two" }),
    width: count,
  })
  .strict()
export type NGrams = z.infer<typeof NGrams>

/** The architecture numbers: the same names as in native-models/training/megabyte/model.py. */
export const ModelConfig = z
  .object({
    /** P: bytes in a patch. */
    patch: z.int().min(1).max(1024),
    global: Stage,
    local: Stage,
    /** Patches in a training sequence; with learned positions also the last position there is. */
    context: count,
    /** Patches that a global layer sees, itself included; 0: the whole context. */
    window: z.int().min(0).max(65536),
    norm: z.enum(["layernorm", "rmsnorm"]),
    feed_forward: z.enum(["relu", "swiglu"]),
    position: z.enum(["learned", "rotary"]),
    global_to_local: z.enum(["slice", "full"]),
    tied_head: z.boolean(),
    bias: z.boolean(),
    ngrams: NGrams.optional(),
  })
  .strict()
  .refine((m) => m.global.width % m.patch === 0, { error: "the global width must be a multiple of the patch" })
  .refine((m) => m.window <= m.context, { error: "the window must not be longer than the context" })
  .refine((m) => reach(m) > 1, { error: "the window must be at least 2 patches" })
  .refine((m) => m.position !== "rotary" || (m.global.width / m.global.heads) % 2 === 0, {
    error: "rotary positions need an even head width",
  })
export type ModelConfig = z.infer<typeof ModelConfig>

/** pack.json. What a person reads about a pack stands here too; unknown extra fields are kept out of the way. */
export const Pack = z.object({
  format: z.literal(1),
  name: z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/),
  title: z.string().min(1).max(80),
  version: z.string().max(40),
  license: z.string().max(200),
  modality: z.enum(["text", "image", "audio", "bytes"]),
  media: z.record(z.string(), z.unknown()),
  data: z.string().max(4000),
  model: ModelConfig,
  storage: z.enum(["int8", "fp16", "fp32"]),
  parameters: z.int().positive(),
  heldOut: z.object({ bitsPerByte: z.number(), files: z.record(z.string(), z.number()) }).loose(),
  training: z.record(z.string(), z.unknown()),
})
export type Pack = z.infer<typeof Pack>

/** How the weights are held while decoding. A CPU has no fast fp16 products; that comes with the GPU. */
export const Precision = z.enum(["fp32", "int8"])
export type Precision = z.infer<typeof Precision>

/** Patches that a global layer can look back over, itself included. */
export function reach(model: { window: number; context: number }): number {
  return model.window || model.context
}
