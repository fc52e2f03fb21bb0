import { join } from "node:path"
import { MAX_THREADS } from "../../contract/limits.ts"
import { DeviceChoice, Precision } from "../../contract/pack.ts"
import { forkEngine } from "../host/engine/client.ts"
import { chooseDevice } from "../host/engine/devices.ts"
import { checkWritable } from "../host/folders.ts"
import { defaultPaths, findPack } from "../host/packs/find.ts"
import { readPack } from "../packs/read.ts"
import { number, UsageError } from "./arguments.ts"
import type { common, Values } from "./options.ts"

/** A pack, and how it was asked to be run. */
export type Target = ReturnType<typeof target>

/** @throws UsageError, or PackError where there is no such pack */
export function target(values: Values<typeof common>, precision: string | undefined = values.precision) {
  const places = defaultPaths()
  checkWritable(places.cache, "MEGABYTE_CACHE")
  const device = values.device ?? "auto"
  const choice = DeviceChoice.safeParse(device)
  if (!choice.success) throw new UsageError(`--device must be auto, gpu or cpu, not "${device}"`)
  const chosen = Precision.optional().safeParse(precision)
  if (!chosen.success) throw new UsageError(`--precision must be int8, fp16 or fp32, not "${precision}"`)
  const folder = findPack(values.pack ?? "text", places)
  const threads = number("threads", values.threads, 0, { min: 0, max: MAX_THREADS, whole: true })
  return {
    pack: readPack(folder),
    folder,
    precision: chosen.data,
    threads,
    choice: choice.data,
    cache: join(places.cache, "graphs"),
  }
}

/** What the engine is to run, and what the choice of a device comes to here. */
export async function placed({ folder, precision, threads, choice, cache }: Target) {
  const pack = { folder, threads, ...(precision ? { precision } : {}) }
  const placement = await chooseDevice(forkEngine, cache, choice, pack)
  if (choice === "gpu" && placement.device === "cpu")
    process.stderr.write("No GPU works here; the processor is used.\n")
  return { pack: folder, threads, ...placement }
}
