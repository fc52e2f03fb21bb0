import { z } from "zod"
import { audio } from "./audio.ts"
import { bytes } from "./bytes.ts"
import { image } from "./image.ts"
import type { ModalityEntry } from "./modality.ts"
import { text } from "./text.ts"

/** What packs are of, and what a file can be. */
export const Modality = z.enum(["text", "image", "audio", "bytes"])
export type Modality = z.infer<typeof Modality>

/** All modalities: one more is an entry here, in main/host/media and in renderer. */
export const modalities: Record<Modality, ModalityEntry> = { text, image, audio, bytes }
