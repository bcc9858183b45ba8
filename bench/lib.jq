# SPDX-License-Identifier: MIT
# What the reports and tables share.

# How the tables show a number: three significant digits, without an exponent.
def show:
  if . == null then "-"
  elif type == "string" then .
  elif . >= 100 or . == floor then round | tostring
  else (if . >= 10 then 10 elif . >= 1 then 100 else 1000 end) as $unit |
    (. * $unit | round) as $n | ($n / $unit | floor | tostring) as $whole |
    (($n % $unit) | tostring) as $rest |
    "\($whole).\("0" * (($unit | tostring | length) - 1 - ($rest | length)) // "")\($rest)"
  end;

# null where nothing was measured.
def median: map(select(. != null)) | sort | length as $n |
  if $n == 0 then null
  elif $n % 2 == 1 then .[($n - 1) / 2]
  else (.[$n / 2 - 1] + .[$n / 2]) / 2 end;
