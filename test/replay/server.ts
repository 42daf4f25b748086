// A Plumbline in a process of its own, so that a test can kill it. Ports are free ones; the parent learns them and
// asks for a drain over the fork's channel.
import { readConfig } from '../../config.ts';
import { start } from '../../serve/serve.ts';

const [data = ''] = process.argv.slice(2);
const plumbline = await start(
  readConfig({
    PLUMBLINE_DATA: data,
    PLUMBLINE_PORT: '0',
    PLUMBLINE_OTLP_PORT: '0',
    PLUMBLINE_GRPC_PORT: '0',
  }),
);

process.on('message', async (message) => {
  if (message === 'drain') {
    await plumbline.drained();
    process.send?.('drained');
  } else if (message === 'close') {
    await plumbline.close();
    process.exit(0);
  }
});
process.send?.(plumbline.urls);
