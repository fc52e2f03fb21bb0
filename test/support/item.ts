import type { Item } from "../../contract/app.ts"
import { defaultSampling } from "../../contract/sampling.ts"

/** A short text as the library takes it, while it is being written. */
export const textItem = {
  title: "Once",
  modality: "text",
  file: "output.txt",
  settings: { pack: "text", length: 10, seed: 1, variations: 1, sampling: defaultSampling, style: 0 },
  variation: 0,
  given: 4,
  bytes: 4,
  bitsPerByte: 0,
  favourite: false,
  status: "running",
} as const satisfies Omit<Item, "id" | "created">
