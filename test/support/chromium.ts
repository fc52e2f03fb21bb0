import { spawnSync } from "node:child_process"
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { brotliDecompressSync } from "node:zlib"

const modules = join(import.meta.dirname, "../../node_modules")

/** A Chromium, the libraries it needs beyond the C library, and a Vulkan driver in software. */
export type Unpacked = {
  /** The browser. */
  executable: string
  /** SwiftShader's description for the loader of Vulkan drivers. */
  driver: string
  /** Folder of libvulkan.so.1, that loader. */
  loader: string
  /** What the browser needs in its environment. */
  env: Record<string, string>
}

/**
 * The Chromium that npm brings for x86-64 Linux (@sparticuz/chromium), unpacked once beside the packages, so that a
 * machine with Node.js and nothing else can drive the app in a browser and run its GPU's graphs.
 * @returns nothing on another system, or where the package has not been installed
 */
export function unpackedChromium(): Unpacked | undefined {
  const packed = join(modules, "@sparticuz/chromium")
  if (process.platform !== "linux" || process.arch !== "x64" || !existsSync(packed)) return undefined
  const { version } = JSON.parse(readFileSync(join(packed, "package.json"), "utf8")) as { version: string }
  const folder = join(modules, ".cache", `chromium-${version}`)
  if (!existsSync(folder)) unpack(join(packed, "bin"), folder)
  return {
    executable: join(folder, "chromium"),
    driver: join(folder, "vk_swiftshader_icd.json"),
    loader: join(folder, "vulkan"),
    env: { LD_LIBRARY_PATH: join(folder, "lib"), FONTCONFIG_FILE: join(folder, "fonts.conf") },
  }
}

function unpack(from: string, folder: string): void {
  mkdirSync(join(folder, ".."), { recursive: true })
  // Two that start at once each unpack for themselves; one of them is kept.
  const part = mkdtempSync(`${folder}.part-`)
  try {
    const raw = (name: string) => brotliDecompressSync(readFileSync(join(from, name)))
    for (const name of ["al2023.tar.br", "swiftshader.tar.br", "fonts.tar.br"]) {
      const { status, stderr } = spawnSync("tar", ["-x", "--no-same-owner", "-C", part], { input: raw(name) })
      if (status !== 0) throw new Error(`${name} of @sparticuz/chromium cannot be unpacked: ${stderr}`)
    }
    writeFileSync(join(part, "chromium"), raw("chromium.br"))
    chmodSync(join(part, "chromium"), 0o755)
    // A folder of its own: nothing but the loader is to be found by LD_LIBRARY_PATH.
    mkdirSync(join(part, "vulkan"))
    renameSync(join(part, "libvulkan.so.1"), join(part, "vulkan/libvulkan.so.1"))
    // The package's own file names folders of a cloud service. What the system has fills in what Open Sans lacks.
    writeFileSync(
      join(part, "fonts.conf"),
      `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir prefix="relative">fonts</dir>
  <include ignore_missing="yes">/etc/fonts/fonts.conf</include>
  <cachedir prefix="relative">fonts-cache</cachedir>
</fontconfig>
`,
    )
    renameSync(part, folder)
  } catch (error) {
    rmSync(part, { recursive: true, force: true })
    if (!existsSync(folder)) throw error
  }
}
