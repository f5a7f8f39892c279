/**
 * `plim` in few files instead of several hundred modules, each of which a process would keep with all that is in it
 * (docs/decisions/0036-plim-is-bundled.md). Takes the place of what the compiler made of cli/plim.ts.
 */
import { defineConfig } from 'rolldown';

export default defineConfig({
  input: {
    plim: 'cli/plim.ts',
    // Programs of their own, which the parts that start them look for beside themselves.
    'beat-thread': 'agent/beat-thread.ts',
    'path-probe-program': 'agent/network/check/path-probe-program.ts',
  },
  platform: 'node',
  output: {
    dir: 'dist/cli',
    format: 'esm',
    entryFileNames: ({ name }) => (name === 'plim' ? 'plim.js' : 'parts/[name].js'),
    chunkFileNames: 'parts/[name].js',
    // Blanks and comments stay in memory too. Names stay, for stack traces; the lines are in the source maps.
    minify: { compress: true, mangle: false, codegen: { removeWhitespace: true } },
    sourcemap: true,
  },
});
