import { accessSync, constants, existsSync, readdirSync, statSync } from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"

const root = fileURLToPath(new URL("../..", import.meta.url))
/** All that the page is made of. */
const sources = ["renderer", "contract", "assets/public", "electron.config.ts", "package-lock.json"]

type Part = "renderer" | "main" | "preload"

/**
 * The folder of the page that a checkout serves, built first where it is missing or older than its sources.
 * @param elsewhere a folder to build into where the checkout cannot be written, as it belongs to someone else
 * @throws Error, in one line, where there are no tools to build it
 */
export async function builtPage(elsewhere: string): Promise<string> {
  const newest = Math.max(...sources.map((source) => lastChange(join(root, source))))
  const usual = join(root, "dist/renderer")
  const built = [usual, elsewhere].find((folder) => lastChange(join(folder, "index.html")) > newest)
  if (built) return built
  const folder = writable(usual) ? usual : elsewhere
  await build("renderer", folder)
  return folder
}

/** Builds the page, the host with its engine, and the preload, for Electron. @throws Error, in one line */
export async function buildAll(): Promise<void> {
  if (!writable(join(root, "dist/main")))
    throw new Error(`the app cannot be built in ${root}, which you cannot write; start it with --no-open instead`)
  for (const part of ["renderer", "main", "preload"] as const) await build(part)
}

async function build(mode: Part, outDir?: string): Promise<void> {
  const vite = await import("vite").catch(() => undefined)
  if (!vite) throw new Error("the app is not built, and Vite, which builds it, is not installed; run npm ci")
  await vite.build({
    configFile: join(root, "electron.config.ts"),
    // Vite's usual way to read it writes a file beside the packages, which may belong to someone else.
    configLoader: "runner",
    mode,
    logLevel: "error",
    ...(outDir ? { build: { outDir, emptyOutDir: true } } : {}),
  })
}

/** Whether a folder can be written, or made where there is none. */
function writable(folder: string): boolean {
  let path = folder
  while (!existsSync(path)) path = dirname(path)
  try {
    accessSync(path, constants.W_OK)
    return true
  } catch {
    return false
  }
}

/** When the newest file at or below a path was changed, in milliseconds; 0 where there is none. */
function lastChange(path: string): number {
  const stat = statSync(path, { throwIfNoEntry: false })
  if (!stat) return 0
  if (!stat.isDirectory()) return stat.mtimeMs
  return Math.max(0, ...readdirSync(path).map((name) => lastChange(join(path, name))))
}
