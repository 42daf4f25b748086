# server.c for machines without a C compiler: `python3 server.py <libchdb.so> <arguments of clickhouse>`.
import ctypes
import signal
import sys

signal.signal(signal.SIGTERM, signal.SIG_DFL)
arguments = [b"clickhouse", *(argument.encode() for argument in sys.argv[2:])]
argv = (ctypes.c_char_p * (len(arguments) + 1))(*arguments, None)
ctypes.CDLL(sys.argv[1]).chdb_query_cmdline(len(arguments), argv)
