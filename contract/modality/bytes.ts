import { z } from "zod"
import type { ModalityEntry } from "./modality.ts"

/** Any file at all, byte for byte. */
export const bytes: ModalityEntry = {
  noun: "file",
  format: z.record(z.string(), z.unknown()),
  forms: { bin: { save: "Save as…", extension: ".bin", mime: "application/octet-stream" } },
  lengthUnit: "bytes",
  typed: true,
  documents: () => ({
    styles: [],
    defaultStyle: 0,
    header: () => new Uint8Array(),
    files: { file: "output.bin" },
    unit: { name: "bytes", bytes: 1, most: 1_000_000 },
    usualLength: 600,
    grain: () => ({ name: "bytes", bytes: 1 }),
    columns: false,
    marks: [],
  }),
}
