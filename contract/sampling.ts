import { z } from "zod"

/** How a byte is drawn from the model's 256 probabilities. */
export const Sampling = z.object({
  /** 0 is greedy: always the likeliest byte. */
  temperature: z.number().min(0).max(10),
  /** Smallest set of likeliest bytes whose probabilities reach this sum; 1: all. */
  topP: z.number().gt(0).max(1),
  /** The k likeliest bytes; 0: all. */
  topK: z.int().min(0).max(256),
  /** Bytes at least this share of the likeliest one's probability; 0: all. */
  minP: z.number().min(0).max(1),
})
export type Sampling = z.infer<typeof Sampling>
/** Whether some bytes are left out of the draw; greedy, there is none. */
export const isMasked = ({ temperature, topP, topK, minP }: Sampling) =>
  temperature > 0 && (topP < 1 || topK > 0 || minP > 0)
export const defaultSampling: Sampling = { temperature: 0.8, topP: 0.95, topK: 0, minP: 0 }
