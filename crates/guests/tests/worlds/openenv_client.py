"""Plays the corridor of an OpenEnv server at the address of the first argument by openenv's own client."""
import sys

from openenv.core import GenericEnvClient

with GenericEnvClient(base_url=sys.argv[1]).sync() as env:
    shown = env.reset(seed=6, episode_id="one")
    assert shown.observation["prompt"] == "You are at 2.\n", shown
    assert shown.observation["choices"] == ["left", "right"], shown
    assert not shown.done and shown.reward is None, shown
    shown = env.step({"message": "right"})
    assert shown.observation["reply"] == "You are at 3." and shown.reward == -0.125, shown
    assert env.state() == {"episode_id": "one", "step_count": 1}, env.state()
    shown = env.step({"message": "right"})
    assert shown.done and shown.reward == 1.0 and shown.metadata["won"], shown
    try:
        env.step({"message": "right"})
    except RuntimeError as error:
        assert "EXECUTION_ERROR" in str(error), error
    else:
        raise AssertionError("a game that is over went on")
    other = GenericEnvClient(base_url=sys.argv[1]).sync()
    try:
        with other:
            other.reset()
    except RuntimeError as error:
        assert "CAPACITY_REACHED" in str(error), error
    else:
        raise AssertionError("a full server took one more")
print("played")
