import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { expect, it } from "vitest"
import { z } from "zod"

/** The app is MIT: it may bring LGPL and MPL as files of their own, but nothing under the GPL or AGPL. */

const root = join(import.meta.dirname, "..")
const Lock = z.object({
  packages: z.record(z.string(), z.object({ dev: z.boolean().optional(), license: z.string().optional() })),
})
const Package = z.object({ license: z.string().optional() })

/** License of a package as it is installed, or as the lock file says where it is for another system. */
function licenseOf(path: string, locked: string | undefined): string {
  const file = join(root, path, "package.json")
  const own = existsSync(file) ? Package.safeParse(JSON.parse(readFileSync(file, "utf8"))).data?.license : undefined
  return own ?? locked ?? "unknown"
}
/** Whether one of the licenses that may be chosen is fitting. */
const fits = (license: string) =>
  license.split(/\s+OR\s+/i).some((choice) => !/(^|[^L])GPL|unknown|UNLICENSED|SSPL|BUSL|CC-BY-NC/i.test(choice))

it("nothing that ships is under the GPL, and every license is known", () => {
  const { packages } = Lock.parse(JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")))
  const shipped = Object.entries(packages).filter(([path, { dev }]) => path && !dev)
  expect(shipped.length).toBeGreaterThan(20)
  const wrong = shipped
    .map(([path, { license }]) => `${path}: ${licenseOf(path, license)}`)
    .filter((line) => !fits(line.slice(line.indexOf(": ") + 2)))
  expect(wrong).toEqual([])
})

it("tells the GPL from what may ship", () => {
  expect(["MIT", "LGPL-3.0-or-later", "MPL-2.0", "(MIT OR GPL-3.0)"].map(fits)).toEqual([true, true, true, true])
  expect(["GPL-2.0", "GPL-2.0-or-later", "AGPL-3.0", "MIT AND GPL-2.0"].map(fits)).toEqual([false, false, false, false])
})
