/** Starts the real binary on free ports with a data folder of its own. */
import { spawn, type ChildProcess } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

/** A running instance. */
export interface Flowrill {
  /** Where the editor is. */
  url: string
  /** Where its broker is: `mqtt://127.0.0.1:…`. */
  mqtt: string
  /** Stops it and removes its data. */
  stop(): Promise<void>
}

function binary(): string {
  const path = resolve(process.env['FLOWRILL_BIN'] ?? '../target/debug/flowrill')
  if (!existsSync(path))
    throw new Error(`${path} is not there: build it with "cargo build", or name another in FLOWRILL_BIN`)
  return path
}

/** Waits for a line of the start message that `pattern` matches, and gives its first group. */
function printed(process: ChildProcess, pattern: RegExp): Promise<string> {
  return new Promise((found, failed) => {
    let text = ''
    const read = (chunk: Buffer): void => {
      text += chunk.toString()
      const match = pattern.exec(text)
      if (match?.[1]) found(match[1])
    }
    process.stdout?.on('data', read)
    process.stderr?.on('data', read)
    process.on('exit', (code) => {
      failed(new Error(`Flowrill ended with ${String(code)} before it printed ${String(pattern)}:\n${text}`))
    })
  })
}

/** Starts an instance; `arguments_` come after those for ports and data. */
export async function startFlowrill(arguments_: string[] = []): Promise<Flowrill> {
  const data = mkdtempSync(join(tmpdir(), 'flowrill-e2e-'))
  const process_ = spawn(
    binary(),
    ['run', '--data', data, '--http', '127.0.0.1:0', '--mqtt', '127.0.0.1:0', '--log', 'warn', ...arguments_],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  )
  const [url, mqtt] = await Promise.all([
    printed(process_, /(http:\/\/127\.0\.0\.1:\d+)/),
    printed(process_, /MQTT\D*(127\.0\.0\.1:\d+)/i),
  ])
  return {
    url,
    mqtt: `mqtt://${mqtt}`,
    async stop() {
      const ended = new Promise((done) => process_.once('exit', done))
      if (process_.exitCode === null) {
        process_.kill('SIGTERM')
        await ended
      }
      rmSync(data, { recursive: true, force: true })
    },
  }
}
