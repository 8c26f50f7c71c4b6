"""The component's side of the contract: generated bindings, with `Batches` behind them.

Only a component imports this; `wit_world` is made by componentize-py.
"""

from wit_world import exports
from wit_world.exports import plugin as contract
from wit_world.imports import log as contract_log

from . import log
from .plugin import Batches

_LEVELS = {level.name.lower(): level for level in contract_log.Level}


def _write(level, message):
    contract_log.write(_LEVELS[level], message)


def _faults(faults):
    return [contract.Fault(event, message) for event, message in faults]


def _rated(rated):
    refusals = [contract.Refusal(*refusal) for refusal in rated.refusals]
    return contract.Rated(
        rated.counts, rated.lines, rated.quantities, rated.unit_prices, rated.amounts, refusals, _faults(rated.faults)
    )


def _reporting(function):
    """Writes what went wrong to the host's log before the trap, with the author's own line."""

    def reporting(*arguments):
        try:
            return function(*arguments)
        except Exception as error:
            log.error(f"{type(error).__name__}: {error}{_hint(error)} ({_place(error.__traceback__)})")
            raise

    return reporting


def _hint(error):
    is_float = isinstance(error, TypeError) and "'float'" in str(error)
    return "; no float comes near an exact decimal, write Decimal(\"0.05\")" if is_float else ""


def _place(trace):
    """The innermost line that is not the SDK's. Not by `traceback`, which would read the sources' files."""
    place = "somewhere"
    while trace is not None:
        folder, _, file = trace.tb_frame.f_code.co_filename.rpartition("/")
        if not folder.endswith("tollgate_sdk"):
            place = f"{file}:{trace.tb_lineno}"
        trace = trace.tb_next
    return place


def exported(plugin):
    """The class that componentize-py exports, for a plugin's class."""
    log._write = _write
    batches = Batches(plugin)

    class Plugin(exports.Plugin):
        def describe(self):
            units = [
                contract.Unit(unit.name, contract.Aggregation[unit.aggregation.upper()], unit.pooled, unit.group_by)
                for unit in plugin.units
            ]
            lines = [
                contract.Line(line.code, line.title, line.unit, contract.LineKind[line.kind.upper()])
                for line in plugin.lines
            ]
            refusals = [contract.RefusalCode(refusal.code, refusal.title) for refusal in plugin.refusals]
            return contract.Descriptor(
                plugin.name, plugin.version, batches.summary, units, lines, refusals, batches.settings_schema
            )

        @staticmethod
        @_reporting
        def check(settings):
            return [contract.Problem(*problem) for problem in batches.check(settings)]

        @staticmethod
        @_reporting
        def meter(settings, frame):
            metered = batches.meter(settings, frame)
            return contract.Metered(
                metered.counts, metered.units, metered.keys, metered.quantities, metered.strings,
                _faults(metered.faults),
            )

        @staticmethod
        @_reporting
        def rate(settings, frame, counted):
            return _rated(batches.rate(settings, frame, counted))

        @staticmethod
        @_reporting
        def close(settings, frame, totals):
            return _rated(batches.close(settings, frame, totals))

    return Plugin
