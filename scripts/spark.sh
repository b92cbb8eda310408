# Sourced by the other scripts, after environment.sh: Spark Connect servers as processes, for tests and for trying things.
# shellcheck shell=bash

spark_version=4.3.0
sail_version=0.7.2

# install_spark: sets and exports FEASTR_SPARK_HOME, the folder of Apache Spark in Python's package of it, and FEASTR_SAIL,
# the program of Sail, which speaks the same protocol.
install_spark() {
  if [ -z "${FEASTR_SPARK_HOME:-}" ]; then
    need java openjdk-17-jre-headless
    # What reads its descriptors comes along, for a test.
    environment spark "$spark_version" pyspark protobuf googleapis-common-protos \
      || fail "Spark could not be installed" "set FEASTR_SPARK_HOME to the folder pyspark of its package, version $spark_version"
    FEASTR_SPARK_HOME="$(echo "$venv"/lib/python3*/site-packages/pyspark)"
    export FEASTR_SPARK_HOME
  fi
  [ -z "${FEASTR_SAIL:-}" ] || return 0
  environment sail "$sail_version" pysail \
    || fail "Sail could not be installed" "set FEASTR_SAIL to its program sail, version $sail_version"
  export FEASTR_SAIL="$venv/bin/sail"
}

# run_spark PORT FOLDER [SETTING=VALUE…]: a server of Spark Connect with two threads, in place of this shell. It is ready when
# its port takes connections. FOLDER is for its tables and temporary files.
run_spark() {
  local port=$1 folder=$2 settings=() setting
  for setting in "${@:3}"; do settings+=(--conf "$setting"); done
  export SPARK_HOME="$FEASTR_SPARK_HOME" SPARK_LOCAL_IP=127.0.0.1
  # Ready early: it has little to do.
  exec "$FEASTR_SPARK_HOME/bin/spark-submit" --master 'local[2]' --driver-memory 1g \
    --class org.apache.spark.sql.connect.service.SparkConnectServer \
    --conf spark.connect.grpc.binding.address=127.0.0.1 --conf spark.connect.grpc.binding.port="$port" \
    --conf spark.driver.bindAddress=127.0.0.1 --conf spark.driver.host=127.0.0.1 --conf spark.ui.enabled=false \
    --conf spark.sql.shuffle.partitions=2 --conf spark.sql.warehouse.dir="$folder/warehouse" \
    --conf spark.local.dir="$folder/local" --conf spark.driver.extraJavaOptions=-XX:TieredStopAtLevel=1 \
    "${settings[@]}" spark-internal
}

# run_sail PORT: a server of Sail, in place of this shell.
run_sail() {
  exec "$FEASTR_SAIL" spark server --ip 127.0.0.1 --port "$1"
}
