import { z } from "zod"
import { type ModalityEntry, plural, widePresets } from "./modality.ts"

/** Any file at all, byte for byte. */
export const bytes: ModalityEntry = {
  noun: "file",
  kind: "File",
  kinds: "Files",
  format: z.record(z.string(), z.unknown()),
  forms: { bin: { save: "Save file", extension: ".bin", mime: "application/octet-stream" } },
  lengthUnit: "bytes",
  typed: false,
  variations: 4,
  presets: widePresets,
  documents: () => ({
    styles: [],
    defaultStyle: 0,
    header: () => new Uint8Array(),
    files: { file: "output.bin" },
    unit: { name: "bytes", bytes: 1, most: 1_000_000 },
    amount: (bytes) => plural(bytes, "byte"),
    usualLength: 600,
    grain: () => ({ name: "bytes", bytes: 1 }),
    columns: false,
    marks: [],
  }),
}
