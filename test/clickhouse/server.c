/* The command line of ClickHouse, out of the library: with SYSTEM START LISTEN it is a server. */
extern void *chdb_query_cmdline(int argc, char **argv);

int main(int argc, char **argv) {
  argv[0] = "clickhouse";
  chdb_query_cmdline(argc, argv);
  return 0;
}
