import { join } from "node:path"
import * as electron from "electron"
import { defaultPaths } from "../host/packs/find.ts"
import { start } from "./shell.ts"

/** Electron's entry: built to dist/main/main.js, with the engine, the preload and the page beside it. */
const here = import.meta.dirname
const built = {
  renderer: join(here, "../renderer"),
  preload: join(here, "preload.cjs"),
  engine: join(here, "engine.js"),
  media: join(here, "media.js"),
}
await start(electron, defaultPaths(), built, process.argv)
