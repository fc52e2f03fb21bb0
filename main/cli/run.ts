import { UsageError, withValues } from "./arguments.ts"
import { continueCommand } from "./commands/continue.ts"
import { devicesCommand } from "./commands/devices.ts"
import { generateCommand } from "./commands/generate.ts"
import { importCommand } from "./commands/import.ts"
import { packsCommand } from "./commands/packs.ts"
import { scoreCommand } from "./commands/score.ts"
import { serveCommand } from "./commands/serve.ts"
import { making, text } from "./options.ts"

const help = `megabyte: generate and continue raw bytes with a MEGABYTE model, offline

  megabyte generate [--pack text] [--prompt TEXT] [--bytes N]     make something new
  megabyte generate --style "tiny tale" --until-end               a whole story
  megabyte generate --pack image --out cat.png [--style animal]   a picture; --enlarge 16 repeats its pixels
  megabyte generate --pack audio --seconds 8 --out tune.wav       a sound, as WAV or FLAC
  megabyte continue FILE [--keep 50%] [--bytes N] [--out FILE]    go on from a text, a row of a picture, a time
  megabyte continue FILE --columns [--keep 16]                    go on from a column of a picture, left to right
  megabyte score FILE [--pack NAME] [--precision fp32,int8]       bits per byte of a file
  megabyte packs | devices                                        what there is
  megabyte import PATH [--extension bmp] [--heads N] [--name X]   a pack's folder, or weights of MEGABYTE-pytorch or bGPT
  megabyte serve [--port N] [--no-open]                           the app in this machine's browser
  megabyte start                                                  the app in Electron, where its binary is

  generate and continue: --preset tame|default|wild  --seed N  --temperature T  --top-p P  --top-k K  --min-p P  --guidance G  --variations 1
  pictures:              --crop 0..1|whole  --dither              which part of another shape; mixed colors as patterns
  everywhere:            --precision int8|fp16|fp32  --device auto|gpu|cpu  --threads N  --json
`

const commands: Record<string, (args: string[]) => void | Promise<void>> = {
  generate: generateCommand,
  continue: continueCommand,
  score: scoreCommand,
  packs: packsCommand,
  import: importCommand,
  devices: devicesCommand,
  serve: serveCommand,
}

/** Runs one command. @throws UsageError, or an error whose first line is for a person */
export async function run([command = "help", ...args]: string[]): Promise<void> {
  // A value may look like the wish for help, such as a prompt.
  const words = withValues([command, ...args], { ...making, prompt: text, keep: text, port: text })
  if (command === "help" || words.some((a) => a === "--help" || a === "-h")) return void process.stdout.write(help)
  if (!Object.hasOwn(commands, command)) throw new UsageError(`unknown command "${command}"; see megabyte --help`)
  return commands[command]?.(args)
}
