/**
 * After a build: writes a `.br` and a `.gz` beside every asset of dist/ (the server sends them as they are) and checks
 * the budgets. Too much JavaScript on the way to the first node fails the build.
 */
import { readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { brotliCompressSync, constants, gzipSync } from 'node:zlib'

const dist = new URL('../dist/', import.meta.url).pathname
const KB = 1000
const budgets = { initialWarn: 90 * KB, initialFail: 150 * KB, codeFail: 180 * KB }

/** Files that compressing makes smaller. */
const COMPRESSIBLE = /\.(html|js|css|svg|json|txt|map|ico)$/

function files(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? files(join(folder, entry.name)) : [join(folder, entry.name)],
  )
}

function compress(path) {
  const data = readFileSync(path)
  const gz = gzipSync(data, { level: 9 })
  const br = brotliCompressSync(data, {
    params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: data.length },
  })
  writeFileSync(`${path}.gz`, gz)
  writeFileSync(`${path}.br`, br)
  return { name: relative(dist, path), raw: data.length, gz: gz.length, br: br.length }
}

/** The chunks that an entry of Vite's manifest needs at once, itself included. */
function closure(manifest, key, seen = new Set()) {
  if (seen.has(key)) return seen
  seen.add(key)
  for (const next of manifest[key].imports ?? []) closure(manifest, next, seen)
  return seen
}

const manifest = JSON.parse(readFileSync(join(dist, '.vite/manifest.json'), 'utf8'))
rmSync(join(dist, '.vite'), { recursive: true })

const sizes = files(dist)
  .filter((path) => COMPRESSIBLE.test(path) && statSync(path).size > 0)
  .map(compress)
  .sort((a, b) => b.gz - a.gz)
const gzOf = (name) => sizes.find((size) => size.name === name)?.gz ?? 0
const total = (keys) => [...keys].reduce((sum, key) => sum + gzOf(manifest[key].file), 0)

const kB = (bytes) => `${(bytes / KB).toFixed(1)} kB`
for (const { name, raw, gz, br } of sizes)
  console.log(`${name.padEnd(48)} ${kB(raw).padStart(10)}   gz ${kB(gz).padStart(9)}   br ${kB(br).padStart(9)}`)

const entry = Object.keys(manifest).find((key) => manifest[key].isEntry)
const first = closure(manifest, entry)
const initial = total(first)
const codeKeys = Object.keys(manifest).filter((key) => manifest[key].isDynamicEntry && key.startsWith('src/code/'))
const code = total(new Set(codeKeys.flatMap((key) => [...closure(manifest, key)]).filter((key) => !first.has(key))))

console.log(
  `\nJavaScript to the first node: ${kB(initial)} gz (at most ${kB(budgets.initialFail)}); code editor: ${kB(code)} gz`,
)
if (initial > budgets.initialWarn)
  console.warn(`Warning: over the aim of ${kB(budgets.initialWarn)} to the first node.`)
const failed = []
if (initial > budgets.initialFail) failed.push(`first node: ${kB(initial)} of ${kB(budgets.initialFail)}`)
if (code > budgets.codeFail) failed.push(`code editor: ${kB(code)} of ${kB(budgets.codeFail)}`)
if (failed.length > 0) {
  console.error(`Over budget: ${failed.join('; ')}`)
  process.exit(1)
}
