import { statSync } from "node:fs"
import { basename, join } from "node:path"
import type { PackSummary } from "../../../contract/app.ts"
import { canvasOf, isMeasured, soundOf, textOf } from "../../../contract/pack.ts"
import { type AppPaths, type FoundPack, listPacks } from "./find.ts"

/** Every pack there is, as windows are told of it. */
export const packSummaries = (places: AppPaths): PackSummary[] => listPacks(places).map(summaryOf)

function summaryOf(found: FoundPack): PackSummary {
  const { shipped } = found
  if ("problem" in found) {
    const name = basename(found.folder)
    const nothing = {
      modality: "bytes" as const,
      media: {},
      patch: 1,
      license: "",
      data: "",
      parameters: 0,
      sizeBytes: 0,
    }
    return { name, title: name, ...nothing, bitsPerByte: 0, shipped, problem: found.problem }
  }
  const { pack } = found
  const { name, title, modality, media, license, data, parameters, sampling, presets, ranges } = pack
  const [canvas, sound, text] = [canvasOf(pack), soundOf(pack), textOf(pack)]
  return {
    name,
    title,
    modality,
    media,
    ...(canvas ? { canvas } : {}),
    ...(sound ? { sound } : {}),
    ...(text ? { text } : {}),
    ...(sampling ? { sampling } : {}),
    ...(presets ? { presets } : {}),
    ...(ranges ? { ranges } : {}),
    patch: pack.model.patch,
    license,
    data,
    parameters,
    sizeBytes: statSync(join(found.folder, "weights.safetensors")).size,
    bitsPerByte: pack.heldOut.bitsPerByte,
    ...(isMeasured(pack) ? {} : { unmeasured: true }),
    shipped,
  }
}
