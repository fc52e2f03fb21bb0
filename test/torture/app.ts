import { join } from "node:path"
import { defaultSampling } from "../../contract/sampling.ts"
import { forkEngine } from "../../main/host/engine/client.ts"
import { Studio } from "../../main/host/studio.ts"
import { openWindow } from "../support/window.ts"

/** An app that writes until it is killed: `tsx app.ts HOME CACHE PACK`. It prints how much it has told a window of. */
const [home = "", cache = "", pack = ""] = process.argv.slice(2)
const studio = new Studio({ shipped: join(home, "none"), home, cache }, forkEngine)
studio.catchEverything()
const made = new Map<string, number>()
const { call } = openWindow(studio, (event) => {
  if (event.type !== "patches") return
  for (const { id, bytes } of event.parts) made.set(id, (made.get(id) ?? 0) + bytes.length)
  process.stdout.write(`${JSON.stringify({ at: Date.now(), made: [...made] })}\n`)
})
const settings = { pack, length: 100_000, seed: 1, variations: 2, sampling: defaultSampling, style: 0 }
await call("generate", { settings, given: Buffer.from("Once upon") })
