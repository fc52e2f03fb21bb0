import { spawn } from "node:child_process"
import { rmSync, writeFileSync } from "node:fs"
import { userInfo } from "node:os"
import { join } from "node:path"

/**
 * What keeps a browser from being opened here, and what to do then, in one line; undefined where nothing does.
 * @param port of the served app
 */
export function noBrowser(port: string, env = process.env, platform = process.platform): string | undefined {
  if (overSsh(env)) {
    // "client port server port": the server's address as the person reached it.
    const server = env.SSH_CONNECTION?.split(" ")[2] ?? "this-machine"
    const at = `${env.USER ?? env.LOGNAME ?? userName()}@${server}`
    return `You are here over SSH. On your own machine run  ssh -N -L ${port}:127.0.0.1:${port} ${at}  and open the address there.`
  }
  if (noDisplay(env, platform)) return "There is no display here: open the address in a browser on this machine."
  return undefined
}

const overSsh = (env: NodeJS.ProcessEnv) => Boolean(env.SSH_CONNECTION || env.SSH_TTY)

/** Whether a window opened here would be seen by nobody. */
export function noDisplay(env = process.env, platform = process.platform): boolean {
  const desktop = platform === "win32" || platform === "darwin" || Boolean(env.DISPLAY || env.WAYLAND_DISPLAY)
  return !desktop || overSsh(env)
}

/** A user without a name, as in some containers, has a number. */
function userName(): string {
  try {
    return userInfo().username
  } catch {
    return "user"
  }
}

/**
 * Opens the person's browser at `address`. Other users read the arguments of every process: the browser is given a file
 * that only this user can read, and that sends it on.
 * @param folder where that file lies; it is removed after a minute
 * @param failed is called where no browser could be opened
 */
export function openBrowser(address: string, folder: string, failed: () => void): void {
  const file = join(folder, "open.html")
  rmSync(file, { force: true })
  writeFileSync(
    file,
    `<!doctype html><meta charset="utf-8"><meta http-equiv="refresh" content="0;url=${address}"><title>Megabyte Studio</title>`,
    { mode: 0o600, flag: "wx" },
  )
  const remove = () => rmSync(file, { force: true })
  setTimeout(remove, 60_000).unref()
  process.once("exit", remove)
  const opener = { darwin: "open", win32: "explorer" }[process.platform as string] ?? "xdg-open"
  spawn(opener, [file], { stdio: "ignore", detached: true })
    .on("error", failed)
    // explorer.exe ends with 1 also where it did what it was asked to.
    .on("exit", (code) => code && process.platform !== "win32" && failed())
    .unref()
}
