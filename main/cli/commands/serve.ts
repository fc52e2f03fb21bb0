import { join } from "node:path"
import { forkEngine } from "../../host/engine/client.ts"
import { checkWritable } from "../../host/folders.ts"
import { defaultPaths } from "../../host/packs/find.ts"
import { Studio } from "../../host/studio.ts"
import { builtPage } from "../../web/built-page.ts"
import { noBrowser, openBrowser } from "../../web/open-browser.ts"
import { serve } from "../../web/server.ts"
import { number, parse } from "../arguments.ts"
import { flag, text } from "../options.ts"

/** `megabyte serve`. */
export function serveCommand(args: string[]): Promise<void> {
  const { values } = parse(args, { port: text, "no-open": flag }, 0)
  return serveApp(number("port", values.port, 0, { min: 0, max: 65535, whole: true }), !values["no-open"])
}

/**
 * Serves the app to this machine's browser until it is interrupted, and prints the address.
 * @param port 0 for any that is free
 * @throws Error whose first line is for a person
 */
export async function serveApp(port: number, inBrowser: boolean): Promise<void> {
  const places = defaultPaths()
  checkWritable(places.home, "MEGABYTE_HOME")
  checkWritable(places.cache, "MEGABYTE_CACHE")
  const page = await builtPage(join(places.cache, "page"))
  const studio = new Studio(places, forkEngine)
  studio.catchEverything()
  const { address } = await serve(studio, page, port).catch((error: unknown) => {
    studio.close()
    throw new Error(whyNot(error, port))
  })
  const say = (line: string) => void process.stdout.write(`${line}\n`)
  say(`Megabyte Studio is open at\n\n  ${address}\n\nThe address is good for one visit. Ctrl+C ends it.`)
  if (inBrowser) {
    const hindrance = noBrowser(new URL(address).port)
    if (hindrance) say(hindrance)
    else openBrowser(address, places.home, () => say("No browser could be opened: open the address yourself."))
  }
  const end = () => {
    studio.close()
    process.exit(0)
  }
  process.once("SIGINT", end)
  process.once("SIGTERM", end)
}

function whyNot(error: unknown, port: number): string {
  const { code, message } = error as NodeJS.ErrnoException
  if (code === "EADDRINUSE") return `port ${port} is taken by another program; choose another one with --port.`
  if (code === "EACCES") return `port ${port} is kept for the system; choose one from 1024 on with --port.`
  return `the app cannot be served: ${message}`
}
