import { z } from "zod"
import { type ModalityEntry, plural, widePresets } from "./modality.ts"

/** Media of a pack for bytes. */
const Bytes = z
  .object({
    /** The ending of its files, with the dot. */
    extension: z
      .string()
      .regex(/^\.[a-z0-9]{1,8}$/)
      .optional(),
  })
  .loose()

/** Any file at all, byte for byte. */
export const bytes: ModalityEntry = {
  noun: "file",
  kind: "File",
  kinds: "Files",
  format: Bytes,
  forms: { bin: { save: "Save file", extension: ".bin", mime: "application/octet-stream" } },
  lengthUnit: "bytes",
  typed: false,
  variations: 4,
  presets: widePresets,
  documents: (media) => ({
    styles: [],
    defaultStyle: 0,
    header: () => new Uint8Array(),
    files: { file: `output${Bytes.parse(media).extension ?? ".bin"}` },
    unit: { name: "bytes", bytes: 1, most: 1_000_000 },
    amount: (bytes) => plural(bytes, "byte"),
    usualLength: 600,
    grain: () => ({ name: "bytes", bytes: 1 }),
    columns: false,
    marks: [],
  }),
}
