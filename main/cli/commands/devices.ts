import { join } from "node:path"
import { forkEngine } from "../../host/engine/client.ts"
import { tryDevices } from "../../host/engine/devices.ts"
import { checkWritable } from "../../host/folders.ts"
import { defaultPaths } from "../../host/packs/find.ts"
import { parse } from "../arguments.ts"
import { flag } from "../options.ts"

/** `megabyte devices`: prints what runs here. What was measured before is forgotten, as a driver may have come or gone. */
export async function devicesCommand(args: string[]): Promise<void> {
  const { values } = parse(args, { json: flag }, 0)
  const { cache } = defaultPaths()
  checkWritable(cache, "MEGABYTE_CACHE")
  const found = await tryDevices(forkEngine, join(cache, "graphs"))
  if (values.json) return void process.stdout.write(`${JSON.stringify(found)}\n`)
  for (const { device, works, half, why } of found)
    process.stdout.write(
      `${device.padEnd(8)}${works ? `works${half ? ", in fp16 too" : ""}` : `does not work here: ${why}`}\n`,
    )
}
